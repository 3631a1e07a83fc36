// The page of a sync: numbers that lead to their records, and its undo.
import { api, checkPage, ensureFullSync, expect, portal, signIn, test } from "./checked-page";
import { system } from "./system";

test.beforeEach(async () => {
  test.setTimeout(420_000);
  await ensureFullSync();
});

test("the number of rejected records leads to their findings", async ({ page }) => {
  const { data } = await api<{ data: { syncId: string; mode: string; dryRun: boolean }[] }>(
    "/api/sync/history?mode=full&dryRun=false",
  );
  await signIn(page);
  await page.goto(`${system().url}/syncs/${data[0]?.syncId}`);
  const row = page.getByRole("table", { name: "Record counts" }).getByRole("row", { name: /^Equipment/ });
  await row.getByRole("link", { name: "3", exact: true }).click();
  await expect(page).toHaveURL(/type=equipment.*severity=error|severity=error.*type=equipment/);
  const findings = page.getByRole("table", { name: "Findings" });
  await expect(findings).toBeInViewport();
  await expect(findings.getByText("Rejected", { exact: true }).first()).toBeVisible();
  await expect(findings).not.toContainText("Warning");
  await checkPage(page, "sync-findings-filtered");
});

test("an undo says what it will do, does it, and lists what became of each record", async ({ page }) => {
  const { data } = await api<{ data: { sourceId: string }[] }>(
    "/api/sync/records/vessel?limit=7&status=active",
  );
  const id = data[6]?.sourceId;
  const before = await api<{ particulars: { grossTonnage: number } }>(`/api/sync/records/vessel/${id}`);
  await signIn(page);
  await page.goto(`${system().url}/records/vessel/${id}`);
  await portal("PATCH", `/api/vessels/${id}`, { grossTonnage: 71_717 });
  await expect(page.getByText("71,717").first()).toBeVisible();
  await page.getByRole("list", { name: "Timeline" }).getByRole("link", { name: "View sync" }).first().click();
  const changes = page.getByRole("list", { name: "Changes" });
  await expect(changes.getByRole("listitem")).toHaveCount(1);
  const fields = changes.getByRole("table", { name: /^Fields of/ });
  await expect(fields.getByRole("row", { name: /Gross tonnage/ })).toContainText("71,717");
  await checkPage(page, "sync-changes");
  await page.getByRole("button", { name: "Undo" }).click();
  const dialog = page.getByRole("dialog", { name: "Undo this sync?" });
  await expect(dialog).toContainText("1 record that it updated or deactivated gets the earlier values back.");
  await expect(dialog).toContainText(
    "As things stand: 1 record restored, 0 records withdrawn, 0 records skipped.",
  );
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await checkPage(page, "undo-dialog");
  await dialog.getByRole("button", { name: "Undo sync" }).click();
  const undone = page.getByRole("table", { name: "Undone records" });
  await expect(undone.getByText("Restored")).toBeVisible();
  await expect(
    page.getByText(/^Undone by .* 1 record restored, 0 records withdrawn, 0 records skipped/),
  ).toBeVisible();
  await checkPage(page, "undo");
  expect(await api(`/api/sync/records/vessel/${id}`)).toMatchObject({ particulars: before.particulars });
  await undone.getByRole("link").click();
  await expect(
    page.getByRole("list", { name: "Timeline" }).getByText("Undone", { exact: true }),
  ).toBeVisible();
});
