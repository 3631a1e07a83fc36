// Finding a record, and all that stands about it: the palette, the search, the lists and the page of a vessel.
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

type Found = { data: { sourceId: string; name: string }[] };

test.beforeEach(async () => {
  test.setTimeout(420_000);
  await ensureFullSync();
});

test("the palette opens pages and records by keyboard alone", async ({ page }) => {
  const { data } = await api<Found>("/api/sync/records/vessel?limit=1&status=active");
  const imo = /IMO (\d{7})/.exec(data[0]?.name ?? "")?.[1] ?? "";
  await signIn(page);
  await page.keyboard.press("/");
  const palette = page.getByRole("dialog", { name: "Search" });
  await expect(palette.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("dead l");
  await expect(palette.getByRole("option", { name: /^Dead letters/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Dead letters" })).toBeVisible();

  await page.keyboard.press("Control+k");
  await page.keyboard.type(imo);
  await expect(palette.getByRole("option").first()).toContainText(`IMO ${imo}`);
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/pages/palette.png" });
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: new RegExp(imo) })).toBeVisible();
  await expect(palette).toHaveCount(0);

  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  await expect(palette).toHaveCount(0);
  await page.keyboard.press("/");
  await page.keyboard.type("nordhavn");
  await palette.getByRole("option", { name: "All results for “nordhavn”" }).click();
  await expect(page).toHaveURL(/\/search\?q=nordhavn/);
  await expect(page.getByRole("heading", { name: "Companies" })).toBeVisible();
  await checkPage(page, "search");
  await page.getByRole("searchbox", { name: "Name, number or ID" }).fill("no such thing here");
  await expect(page.getByText("Nothing found for “no such thing here”")).toBeVisible();
});

test("the page of a vessel has its values, its equipment and users, and what happened to it", async ({
  page,
}) => {
  const { data } = await api<Found>("/api/sync/records/vessel?limit=5&status=active");
  const vessel = data[4];
  if (!vessel) throw new Error("the fleet has no fifth vessel");
  await signIn(page);
  await page.goto(`${system().url}/records`);
  const name = vessel.name.replace(/ \(.*/, "");
  await page.getByRole("searchbox", { name: "Name or IMO number" }).fill(name);
  await expect(page).toHaveURL(/q=/);
  await page
    .getByRole("table", { name: "Vessels" })
    .getByRole("link", { name: new RegExp(name) })
    .click();
  await expect(page.getByLabel("Status")).toContainText("Active");
  const timeline = page.getByRole("list", { name: "Timeline" });
  await expect(timeline.getByRole("listitem").last()).toContainText("Created");
  await expect(page.getByRole("table", { name: "Users" })).toBeVisible();

  // A change in the onboarding portal arrives by itself, with both values.
  await portal("PATCH", `/api/vessels/${vessel.sourceId}`, { grossTonnage: 75_901 });
  const change = timeline.getByRole("listitem").filter({ has: page.getByText("Updated", { exact: true }) });
  await expect(change.first()).toContainText("75,901");
  await expect(page.getByText("75,901").first()).toBeVisible();
  await checkPage(page, "vessel");
  await change.first().getByRole("link", { name: "View sync" }).click();
  await expect(page.getByRole("heading", { name: "Selective sync" })).toBeVisible();
  await page.goBack();

  await page.getByRole("table", { name: "Equipment" }).locator("[data-row-link]").first().click();
  await expect(page.getByRole("heading", { name: "Technical data" })).toBeVisible();
  await expect(page.getByRole("link", { name: new RegExp(name) })).toBeVisible();
  await checkPage(page, "equipment");
});

test("findings, webhooks and conflicts lead to their record", async ({ page, faults }) => {
  await signIn(page);
  await page.goto(`${system().url}/data-quality?severity=error`);
  await page.getByRole("table", { name: "Findings" }).getByRole("link").first().click();
  await expect(page.getByLabel("Status")).toContainText("Rejected");
  await checkPage(page, "record-rejected");

  const { data } = await api<Found>("/api/sync/records/vessel?limit=1&status=active");
  await portal("PATCH", `/api/vessels/${data[0]?.sourceId}`, { callSign: "LAXX8" });
  await page.goto(`${system().url}/webhooks`);
  await page
    .getByRole("table", { name: "Webhooks" })
    .getByRole("link", { name: "vessel", exact: true })
    .first()
    .click();
  await expect(page).toHaveURL(/\/records\/vessel\//);

  await page.goto(`${system().url}/conflicts`);
  const conflicts = page.getByRole("table", { name: "Conflicts" });
  await conflicts.locator("[data-row-link]").first().click();
  await page.getByRole("dialog", { name: "Conflict" }).getByRole("link", { name: "equipment item" }).click();
  await expect(page).toHaveURL(/\/records\/equipment\//);
  await page.getByRole("link", { name: "View conflicts" }).click();
  await expect(page).toHaveURL(/sourceId=/);
  await expect(conflicts).toBeVisible();

  await page.goto(`${system().url}/records/vessel/no-such-vessel`);
  await expect(page.getByRole("heading", { level: 1, name: "Vessel" })).toBeVisible();
  await expect(page.getByText(/^Nothing is known of a record/)).toBeVisible();
  ignoreFaults(faults, "404");
});

test("the overview lists the vessels, those with rejected records first", async ({ page }) => {
  await signIn(page);
  const vessels = page.getByRole("table", { name: "Vessels" });
  const worst = vessels.getByRole("row").nth(1);
  await expect(worst.getByRole("cell").nth(2)).toHaveText(/^[1-9]/);
  await expect(vessels.getByRole("row")).toHaveCount(9);
  await page.getByRole("button", { name: /^Show all \d+ vessels$/ }).click();
  await expect(vessels.getByRole("row").nth(20)).toBeVisible();
  await checkPage(page, "overview-vessels");
  await vessels.locator("[data-row-link]").first().click();
  await expect(page).toHaveURL(/\/records\/vessel\//);
});

test("a rejection that is known is counted apart until it is taken back", async ({ page }) => {
  const { data } = await api<{ data: { sourceId: string }[] }>(
    "/api/sync/records/vessel?status=rejected&limit=1",
  );
  await signIn(page);
  await page.goto(`${system().url}/records/vessel/${data[0]?.sourceId}`);
  const note = page.getByRole("region", { name: "Acknowledgement" });
  await note.getByRole("button", { name: "Acknowledge" }).click();
  const dialog = page.getByRole("dialog", { name: "Acknowledge this rejection?" });
  await checkPage(page, "acknowledge-dialog");
  await dialog.getByRole("button", { name: "Acknowledge" }).click();
  await expect(dialog.getByText("Say why nothing is to be done for now.")).toBeVisible();
  await dialog.getByRole("textbox", { name: "Reason" }).fill("the yard answers on Monday");
  await dialog.getByRole("button", { name: "Acknowledge" }).click();
  await expect(note).toContainText("This rejection is known");
  await expect(note).toContainText("the yard answers on Monday");
  expect(await api("/api/sync/status")).toMatchObject({ acknowledgedRejections: 1 });
  await note.getByRole("button", { name: "Take back" }).click();
  await page
    .getByRole("dialog", { name: "Take back the acknowledgement?" })
    .getByRole("button", { name: "Take back" })
    .click();
  await expect(note).toContainText("Is this rejection known?");
});
