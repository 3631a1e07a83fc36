// The doctor: what is wrong, why, and what to do.
import { api, checkPage, ensureFullSync, expect, portal, signIn, test } from "./checked-page";
import { system } from "./system";

test("the doctor says why a record is missing, and sees a portal that fails", async ({ page }) => {
  test.setTimeout(420_000);
  await ensureFullSync();
  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  const missing = page.getByRole("heading", { name: "Why is a record missing?" });
  await expect(missing).toBeVisible();
  await expect(page.getByText("Database, RabbitMQ and the onboarding portal answer")).toBeVisible();
  await checkPage(page, "doctor");

  // From the page of a rejected record to its cause.
  const { data } = await api<{ data: { sourceId: string }[] }>(
    "/api/sync/records/vessel?status=rejected&limit=1",
  );
  await page.goto(`${system().url}/records/vessel/${data[0]?.sourceId}`);
  await page.getByRole("link", { name: "Find out why" }).click();
  await expect(page.getByLabel("Status")).toContainText(/was rejected/);
  await expect(page.getByText(/check digit/).first()).toBeVisible();
  await expect(page.getByRole("searchbox", { name: "ID in the onboarding portal" })).toHaveValue(
    data[0]?.sourceId ?? "",
  );
  await checkPage(page, "doctor-record");

  await portal("PUT", "/api/faults", { kind: "serverError" });
  try {
    // The service asks the portal at most once in 5 seconds.
    await expect(async () => {
      await page.getByRole("button", { name: "Check again" }).click();
      await expect(page.getByText("The onboarding portal cannot be used")).toBeVisible({ timeout: 3000 });
    }).toPass({ timeout: 30_000 });
    await expect(page.getByRole("link", { name: "Test the connection step by step" })).toBeVisible();
    await expect(page.getByLabel("Status")).toHaveAttribute("data-tone", "bad");
  } finally {
    await portal("DELETE", "/api/faults");
  }
});
