// Starting syncs of every kind, and a dry run that is read and then run.
import {
  api,
  checkPage,
  ensureFullSync,
  expect,
  expectAccessible,
  ignoreFaults,
  portal,
  signIn,
  test,
} from "./checked-page";
import { system } from "./system";

type Vessel = { sourceId: string; name: string };
const vessels = async () =>
  (await api<{ data: Vessel[] }>("/api/sync/records/vessel?limit=3&status=active")).data;
const imoOf = ({ name }: Vessel) => /IMO (\d{7})/.exec(name)?.[1] ?? "";

test.beforeEach(async () => {
  test.setTimeout(420_000);
  await ensureFullSync();
});

test("a dry run of a chosen vessel is read as a diff, and then run", async ({ page, faults }) => {
  const [vessel] = await vessels();
  if (!vessel) throw new Error("the fleet has no vessel");
  // Without webhooks, the change waits for a sync.
  await portal("POST", "/api/webhooks/endpoint/disable");
  try {
    await portal("PATCH", `/api/vessels/${vessel.sourceId}`, { grossTonnage: 61_234, callSign: null });
    await signIn(page);
    await page.getByRole("button", { name: "Start another kind of sync" }).click();
    await expect(page.getByRole("menuitem", { name: /^Changes only/ })).toBeVisible();
    await expectAccessible(page);
    await page.getByRole("menuitem", { name: /^Dry run/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Mode").selectOption("selective");
    await dialog.getByRole("button", { name: "Start dry run" }).click();
    await expect(dialog.getByText(/^Choose vessels, a company/)).toBeVisible();
    await dialog.getByRole("combobox", { name: "Vessels" }).fill(imoOf(vessel));
    await page.getByRole("option", { name: new RegExp(imoOf(vessel)) }).click();
    await page.keyboard.press("Escape");
    await checkPage(page, "start-dialog");
    await dialog.getByRole("button", { name: "Start dry run" }).click();

    await expect(page.getByRole("heading", { name: "Dry run of a selective sync" })).toBeVisible();
    const changes = page.getByRole("list", { name: "Changes" });
    const diff = changes.getByRole("table", { name: /^Fields of/ }).first();
    await expect(diff.getByRole("row", { name: /Gross tonnage/ })).toContainText("61,234");
    await expect(diff.getByRole("row", { name: /Call sign/ })).toContainText("none");
    await checkPage(page, "dry-run");
    await page.getByRole("combobox", { name: "Outcome" }).selectOption({ label: "Created" });
    await expect(page).toHaveURL(/outcome=created/);
    await expect(page.getByText("No record matches the filters")).toBeVisible();
    const record = await api<{ particulars: { grossTonnage: number } }>(
      `/api/sync/records/vessel/${vessel.sourceId}`,
    );
    expect(record.particulars.grossTonnage, "a dry run writes nothing").not.toBe(61_234);

    await page.getByRole("button", { name: "Run it" }).click();
    const confirm = page.getByRole("dialog", { name: "Run this sync for real?" });
    await expect(confirm).toContainText("updated 1 record");
    await confirm.getByRole("button", { name: "Run it" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Selective sync" })).toBeVisible();
    await expect(page.getByLabel("Status").getByText("Completed", { exact: true })).toBeVisible();
    await expect
      .poll(() => api(`/api/sync/records/vessel/${vessel.sourceId}`))
      .toMatchObject({ particulars: { grossTonnage: 61_234 } });
  } finally {
    await portal("POST", "/api/webhooks/endpoint/enable");
  }
  ignoreFaults(faults, "422");
});

test("changes only are synced from the menu, by keyboard", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/syncs`);
  await page.getByRole("button", { name: "Start another kind of sync" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: /^Changes only/ })).toBeFocused();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Start an incremental sync?" });
  await dialog.getByRole("checkbox", { name: "Users" }).check();
  await dialog.getByLabel("Reason").fill("by keyboard");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Incremental sync" })).toBeVisible();
  await expect(page.getByText("by keyboard")).toBeVisible();
});
