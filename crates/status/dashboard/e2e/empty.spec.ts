import { checkPage, expect, signIn, test } from "./checked-page";
import { system } from "./system";

test("empty pages say what will fill them", async ({ page }) => {
  await signIn(page);
  await expect(page.getByLabel("Status")).toContainText("Nothing has been synced yet");
  await expect(page.getByText("No syncs yet")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Records by outcome" })).toHaveCount(0);
  await checkPage(page, "overview-empty");
  await page.goto(`${system().url}/syncs`);
  await expect(page.getByText("The first one starts when")).toBeVisible();
  await checkPage(page, "syncs-empty");
  await page.goto(`${system().url}/dead-letters`);
  await expect(page.getByText("No dead letters yet")).toBeVisible();
  await checkPage(page, "dead-letters-empty");
});
