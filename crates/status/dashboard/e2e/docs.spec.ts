// The reference of the operator API.

import { expect, test } from "./checked-page";
import { system } from "./system";

test("the reference is drawn from the document of the service, without other hosts", async ({ page }) => {
  const origins = new Set<string>();
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await page.goto(`${system().url}/docs`);
  await expect(page.getByRole("heading", { name: "Start a sync" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Receive a webhook" })).toBeVisible();
  expect([...origins].filter((origin) => origin !== "null")).toEqual([system().url]);
  await page.screenshot({ path: "test-results/pages/docs.png" });
});
