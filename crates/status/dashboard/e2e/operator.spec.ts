import { api, expect, forgive, look, portal, signIn, test } from "./checked-page";
import { wire } from "./proxy";
import { management, system } from "./system";

type Vessel = { id: string; imoNumber: string };

/** A vessel that the onboarding portal has in a state. */
async function vessel(state: "draft" | "approved"): Promise<Vessel> {
  const shelf = await portal<{ data: { record: Vessel }[] }>("GET", `/api/vessels?state=${state}&limit=1`);
  const [found] = shelf.data;
  if (!found) throw new Error(`the onboarding portal has no vessel that is ${state}`);
  return found.record;
}

/** How many records stand rejected. */
async function rejected(): Promise<number> {
  const report = await api<{ records: { withErrors: number }[] }>("/api/sync/validation/reports");
  return report.records.reduce((n, kind) => n + kind.withErrors, 0);
}

test("a token that is not good is refused with a reason, beside the field", async ({ page, faults }) => {
  await page.goto(`${system().url}/`);
  await page.getByLabel("Operator token", { exact: true }).fill("nonsense");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("This token is not accepted")).toBeVisible();
  forgive(faults, "401");
});

test("before anything has run, every page says what will fill it", async ({ page }) => {
  await signIn(page);
  await expect(page.getByLabel("Verdict")).toContainText("Nothing has been synchronised yet");
  await expect(page.getByText("No sync has run yet")).toBeVisible();
  await look(page, "overview-empty");
  await page.goto(`${system().url}/syncs`);
  await expect(page.getByText("The first comes with an approval")).toBeVisible();
  await look(page, "syncs-empty");
  await page.goto(`${system().url}/dead-letters`);
  await expect(page.getByText("No message has died yet")).toBeVisible();
  await look(page, "dead-letters-empty");
});

test("an operator starts a full sync, watches it to its end, and its account sums up", async ({ page }) => {
  // The first sync makes and hashes a temporary password for each user, which costs time by design.
  test.setTimeout(420_000);
  await signIn(page);
  await page.getByRole("button", { name: "Start full sync" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start full sync" }).click();
  await expect(page).toHaveURL(/\/syncs\/[0-9a-f-]{36}/);
  await expect(page.getByLabel("Verdict").getByText(/^Completed/)).toBeVisible({ timeout: 360_000 });

  const account = page.getByRole("table", { name: "Account of the records" });
  await expect(account.getByRole("row", { name: /^All records/ })).toBeVisible();
  await expect(page.getByText(/^read [\d,]+ = .*as many as the onboarding portal announced$/)).toBeVisible();
  await look(page, "sync-first");
  // The demo fleet has bad records; each names its field.
  await expect(page.getByRole("table", { name: "Findings" }).getByText(/^\//).first()).toBeVisible();

  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Syncs" }).click();
  await page.getByRole("table", { name: "Syncs" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Full sync" })).toBeVisible();
});

test("an approval in the onboarding portal slides into the list by itself", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/syncs`);
  const rows = page.getByRole("table", { name: "Syncs" }).getByRole("row");
  await expect(rows.nth(1)).toContainText("Full");
  const shown = await rows.count();
  await portal("POST", `/api/vessels/${(await vessel("draft")).id}/approve`);
  await expect(rows).toHaveCount(shown + 1);
  await expect(rows.nth(1)).toContainText("Selective, webhook");
});

test("a record that an approval brings and that is rejected waits behind a button under a filter, and is named on the overview", async ({
  page,
}) => {
  await signIn(page);
  await page.goto(`${system().url}/syncs`);
  await page.getByRole("combobox", { name: "State" }).selectOption({ label: "Completed with errors" });
  await expect(page).toHaveURL(/state=completed_with_errors/);
  const rows = page.getByRole("table", { name: "Syncs" }).getByRole("row");
  await expect(rows.nth(1)).toContainText("Full");
  const shown = await rows.count();

  const before = await rejected();
  expect(before).toBeGreaterThan(1);
  const { id, imoNumber } = await vessel("approved");
  await portal("PATCH", `/api/vessels/${id}`, { imoNumber: "9074728" });
  await expect(page.getByRole("button", { name: "1 new" })).toBeVisible();
  await expect(rows).toHaveCount(shown);
  await page.getByRole("button", { name: "1 new" }).click();
  await expect(rows).toHaveCount(shown + 1);
  await page.reload();
  await expect(page.getByRole("combobox", { name: "State" })).toHaveValue("completed_with_errors");

  // What stands about records, not what some sync once said, is what the overview opens with.
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByLabel("Verdict")).toContainText(`${before + 1} rejected records`);
  const need = page.getByRole("listitem").filter({ hasText: `${before + 1} records are rejected` });
  await need.getByRole("link", { name: "See why" }).click();
  await expect(page.getByLabel("Verdict")).toContainText(`${before + 1} records are rejected`);
  await expect(page.getByRole("table", { name: "Findings" })).toContainText("9074728");
  await portal("PATCH", `/api/vessels/${id}`, { imoNumber });
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByLabel("Verdict")).toContainText(`${before} rejected records`);
});

test("what failed is tried again, and nothing else", async ({ page }) => {
  await signIn(page);
  const { data } = await api<{ data: { syncId: string; mode: string }[] }>("/api/sync/history");
  await page.goto(`${system().url}/syncs/${data.find((run) => run.mode === "full")?.syncId}`);
  await page.getByRole("button", { name: "Try again what failed" }).click();
  await expect(page.getByRole("dialog")).toContainText(`${await rejected()} rejected records`);
  await page.getByRole("dialog").getByRole("button", { name: "Try again", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Second try" })).toBeVisible();
  await expect(page.getByLabel("Verdict")).toContainText("Completed with errors");
  await page.getByRole("link", { name: "What failed in an earlier sync" }).click();
  await expect(page.getByRole("heading", { name: "Full sync" })).toBeVisible();
});

test("rows are walked and opened by keyboard, and the way back leads back", async ({ page }) => {
  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await expect(page.getByRole("heading", { name: "Syncs" })).toBeVisible();
  const links = page.getByRole("table", { name: "Syncs" }).getByRole("link");
  await expect(links.nth(1)).toBeVisible();
  await page.keyboard.press("j");
  await expect(links.first()).toBeFocused();
  await page.keyboard.press("j");
  await expect(links.nth(1)).toBeFocused();
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/syncs\/[0-9a-f-]{36}/);
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Syncs" })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
});

test("a full sync that runs is watched, not started twice, is cancelled, and goes on to its end", async ({
  page,
}) => {
  await portal("PUT", "/api/faults", { kind: "slow", path: "equipment", delayMs: 60_000 });
  try {
    await signIn(page);
    await page.getByRole("button", { name: "Start full sync" }).click();
    await page.getByLabel("Reason").fill("to be cancelled");
    await page.getByRole("dialog").getByRole("button", { name: "Start full sync" }).click();
    const verdict = page.getByLabel("Verdict");
    await expect(verdict.getByText("Running", { exact: true })).toBeVisible();
    await expect(page.getByText("to be cancelled")).toBeVisible();
    const phase = page.getByRole("listitem").filter({ hasText: "Phase 2" });
    await expect(phase).toContainText("at work");
    await look(page, "sync-running");

    await page.getByRole("link", { name: "Overview" }).click();
    await expect(page.getByRole("link", { name: "Watch the full sync" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Start full sync" })).toHaveCount(0);
    await look(page, "overview-running");
    await page.getByRole("link", { name: "Watch the full sync" }).click();
    await page.getByRole("button", { name: "Cancel sync" }).click();
    await page.getByRole("button", { name: "Cancel this sync" }).click();
    await expect(verdict.getByText("Cancelled", { exact: true })).toBeVisible();
    await expect(verdict.getByText(/^Cancelled by anna after/)).toBeVisible();
    await expect(page.getByRole("button", { name: "Start another full sync" })).toBeVisible();
  } finally {
    await portal("DELETE", "/api/faults");
  }
  await page.getByRole("button", { name: "Go on with it" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Go on with it" }).click();
  await expect(page.getByLabel("Verdict").getByText(/^Completed/)).toBeVisible({ timeout: 120_000 });
});

test("an admin changes the schedule, sees its next times while typing, and it is kept", async ({
  page,
  faults,
}) => {
  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  const cron = page.getByLabel("Cron expression");
  await cron.fill("0 4 * *");
  await expect(page.locator(".schedule-preview")).toContainText("Five fields");
  await cron.fill("0 40 * * 1");
  await expect(page.locator(".schedule-preview [data-tone=bad]")).toBeVisible();
  await cron.fill("30 4 * * 1");
  await expect(page.locator(".schedule-preview li")).toHaveCount(5);
  await expect(page.locator(".schedule-preview li").first()).toContainText("Mon");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("Settings saved")).toBeVisible();
  expect(await api("/api/sync/settings")).toMatchObject({ scheduleCron: "30 4 * * 1" });
  forgive(faults, "422");
});

test("what another admin changes meanwhile is shown, and not undone by one's own draft", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByLabel("Page size").fill("300");
  await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ scheduleCron: "15 3 * * *" }) });
  await expect(page.getByText("has changed the settings while you typed")).toBeVisible();
  await expect(page.getByLabel("Cron expression")).toHaveValue("15 3 * * *");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("Settings saved")).toBeVisible();
  expect(await api("/api/sync/settings")).toMatchObject({ scheduleCron: "15 3 * * *", pageSize: 300 });
});

test("leaving a draft asks first, and staying keeps what was typed", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByLabel("Page size").fill("400");
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).getByText("Stay here").click();
  await expect(page.getByLabel("Page size")).toHaveValue("400");
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("button", { name: "Leave without saving" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
});

test("the server's pointer marks the field that is wrong", async ({ page, faults }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByLabel("Page size").fill("5000");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByLabel("Page size")).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("button", { name: "Discard" }).click();
  forgive(faults, "422");
});

test("the connection test goes the whole way", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByRole("button", { name: "Test the connection" }).click();
  await expect(page.getByText("The portal answers")).toBeVisible();
});

test("a dead letter shows up by itself, is opened, and is replayed after saying how many", async ({
  page,
}) => {
  await signIn(page);
  await page.goto(`${system().url}/dead-letters`);
  await expect(page.getByText("None waits")).toBeVisible();
  const { amqpApi, vhost } = system();
  await management(amqpApi, "POST", `/api/exchanges/${vhost}/sms.sync/publish`, {
    routing_key: "sync.tasks",
    payload: "this is no task",
    payload_encoding: "string",
    properties: { message_id: "e2e-garbage", delivery_mode: 2, type: "sms.sync.v1.SyncTask" },
  });
  await expect(page.getByText("1 dead letter waits")).toBeVisible();
  await page.getByRole("table", { name: "Dead letters" }).getByRole("link").first().click();
  const drawer = page.getByRole("dialog", { name: "Dead letter" });
  await expect(drawer.getByText("this is no task")).toBeVisible();
  await expect(page).toHaveURL(/open=/);
  await drawer.getByRole("button", { name: "Replay this one" }).click();
  await page
    .getByRole("dialog", { name: "Replay 1 dead letter?" })
    .getByRole("button", { name: "Replay 1 dead letter" })
    .click();
  await expect(page.getByText("1 dead letter on the way")).toBeVisible();
  const letters = () => api<{ data: { replays: number }[] }>("/api/sync/dead-letters");
  await expect.poll(async () => (await letters()).data.some((letter) => letter.replays > 0)).toBe(true);
});

test("when the connection is lost the page says since when, and when it is back it has what was missed", async ({
  page,
  faults,
}) => {
  const line = await wire();
  try {
    await signIn(page, system().admin, line.url);
    await expect(page.getByText("the schedule is off")).toBeVisible();
    line.cut();
    await expect(page.getByText("reconnecting", { exact: true })).toBeVisible();
    await expect(page.getByText(/^Figures stand as of .*the live connection is lost/)).toBeVisible();
    await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ enableScheduledSync: true }) });
    line.mend();
    await expect(page.getByText("live", { exact: true })).toBeVisible();
    await expect(page.getByText(/^Figures stand as of/)).toHaveCount(0);
    await expect(page.getByText("the schedule is off")).toHaveCount(0);
  } finally {
    line.close();
    await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ enableScheduledSync: false }) });
  }
  forgive(faults, "net::ERR");
});

test("a viewer is offered nothing that a viewer may not do", async ({ page }) => {
  await signIn(page, system().viewer);
  await expect(page.getByRole("button", { name: "Start full sync" })).toHaveCount(0);
  await page.goto(`${system().url}/settings`);
  await expect(page.getByText("Settings are changed by an admin")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save settings" })).toHaveCount(0);
});
