// What an operator sees of work that was lost, or that waits for a decision, after later syncs.
import { api, checkPage, ensureFullSync, expect, portal, runFullSync, signIn, test } from "./checked-page";
import { system } from "./system";

test("a sync that lost a whole record type is red, and names the type", async ({ page }) => {
  test.setTimeout(600_000);
  await ensureFullSync();
  const { retryDelaysMs } = await api<{ retryDelaysMs: number[] }>("/api/sync/settings");
  const setDelays = (delays: number[]) =>
    api("/api/sync/settings", { method: "POST", body: JSON.stringify({ retryDelaysMs: delays }) });
  await setDelays([50, 50, 50]);
  await portal("PUT", "/api/faults", { kind: "serverError", path: "equipment" });
  try {
    const syncId = await runFullSync();
    await signIn(page);
    await page.goto(`${system().url}/syncs/${syncId}`);
    const status = page.getByLabel("Status");
    await expect(status).toHaveAttribute("data-tone", "bad");
    await expect(status).toContainText("Equipment was not read");
    const counts = page.getByRole("table", { name: "Record counts" });
    for (const type of ["Companies", "Vessels", "Equipment", "Users"])
      await expect(counts.getByRole("row", { name: new RegExp(`^${type}`) })).toBeVisible();
    await expect(counts.getByRole("row", { name: /^Equipment/ })).toContainText("not reached");
    const sum = page.getByText(/^read [\d,]+ = .*Equipment was not read.*given up/);
    await expect(sum).toBeVisible();
    await expect(page.locator("p[data-tone=bad]").filter({ has: sum })).toBeVisible();
    await checkPage(page, "sync-lost-type");

    await page.getByRole("link", { name: "Overview" }).click();
    await expect(status).toHaveAttribute("data-tone", "bad");
    await expect(status).toContainText("equipment was not read");
    const items = page.getByRole("listitem");
    await expect(items.filter({ hasText: "Equipment was not read" })).toBeVisible();
    await expect(items.filter({ hasText: /tasks? of the last full sync (was|were) given up/ })).toBeVisible();
    await checkPage(page, "overview-lost-type");
  } finally {
    await portal("DELETE", "/api/faults");
    await setDelays(retryDelaysMs);
  }
  // A sync that reads everything takes the items away.
  await runFullSync();
  await expect(page.getByText("Equipment was not read")).toHaveCount(0);
});

test("an open conflict still needs attention after the next full sync", async ({ page }) => {
  test.setTimeout(600_000);
  await ensureFullSync();
  await signIn(page);
  const { openConflicts } = await api<{ openConflicts: number }>("/api/sync/status");
  expect(openConflicts, "the demo fleet has a conflict").toBeGreaterThan(0);
  const item = page.getByRole("listitem").filter({ hasText: /conflicts? (is|are) open/ });
  await expect(item).toBeVisible();
  await runFullSync();
  await page.reload();
  await expect(item).toBeVisible();
  await expect(page.getByLabel("Status")).toContainText(/open conflict/);
  await item.getByRole("link", { name: "View conflicts" }).click();
  await expect(page.getByRole("table", { name: "Conflicts" }).getByRole("link").first()).toBeVisible();
});
