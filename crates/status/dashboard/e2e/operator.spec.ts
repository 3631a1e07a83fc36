import { api, checkPage, expect, ignoreFaults, portal, signIn, test } from "./checked-page";
import { startProxy } from "./proxy";
import { management, system } from "./system";

type Vessel = { id: string; imoNumber: string };

/** A vessel of the onboarding portal in this state. */
async function vessel(state: "draft" | "approved"): Promise<Vessel> {
  const page = await portal<{ data: { record: Vessel }[] }>("GET", `/api/vessels?state=${state}&limit=1`);
  const [found] = page.data;
  if (!found) throw new Error(`the onboarding portal has no vessel in the state ${state}`);
  return found.record;
}

/** How many records are rejected now. */
async function rejected(): Promise<number> {
  const report = await api<{ records: { withErrors: number }[] }>("/api/sync/validation/reports");
  return report.records.reduce((n, kind) => n + kind.withErrors, 0);
}

test("an invalid token is refused with the reason beside the field", async ({ page, faults }) => {
  await page.goto(`${system().url}/`);
  await page.getByLabel("Operator token", { exact: true }).fill("nonsense");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("This token is not accepted")).toBeVisible();
  ignoreFaults(faults, "401");
});

test("a full sync started by an operator completes with balanced record counts", async ({ page }) => {
  // The first sync makes and hashes a temporary password for each user, which costs time by design.
  test.setTimeout(420_000);
  await signIn(page);
  await page.getByRole("button", { name: "Start full sync" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start full sync" }).click();
  await expect(page).toHaveURL(/\/syncs\/[0-9a-f-]{36}/);
  await expect(page.getByLabel("Status").getByText(/^Completed/)).toBeVisible({ timeout: 360_000 });

  const recordCounts = page.getByRole("table", { name: "Record counts" });
  await expect(recordCounts.getByRole("row", { name: /^All records/ })).toBeVisible();
  await expect(page.getByText(/^read [\d,]+ = .*, as expected$/)).toBeVisible();
  await checkPage(page, "sync-first");
  // The demo fleet has bad records; each names its field.
  await expect(page.getByRole("table", { name: "Findings" }).getByText(/^\//).first()).toBeVisible();

  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Syncs" }).click();
  await page.getByRole("table", { name: "Syncs" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Full sync" })).toBeVisible();
});

test("an approval in the onboarding portal appears in the list by itself", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/syncs`);
  const rows = page.getByRole("table", { name: "Syncs" }).getByRole("row");
  await expect(rows.nth(1)).toContainText("Full");
  const shown = await rows.count();
  await portal("POST", `/api/vessels/${(await vessel("draft")).id}/approve`);
  await expect(rows).toHaveCount(shown + 1);
  await expect(rows.nth(1)).toContainText("Selective, webhook");
});

test("a rejected record waits behind a button under a filter and shows on the overview", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/syncs`);
  await page.getByRole("combobox", { name: "State" }).selectOption({ label: "Completed with errors" });
  await expect(page).toHaveURL(/state=completed_with_errors/);
  const rows = page.getByRole("table", { name: "Syncs" }).getByRole("row");
  await expect(rows.nth(1)).toContainText("Full");
  const shown = await rows.count();

  const topOfRow = async () => (await rows.nth(1).boundingBox())?.y;
  const top = await topOfRow();
  const before = await rejected();
  expect(before).toBeGreaterThan(1);
  const { id, imoNumber } = await vessel("approved");
  await portal("PATCH", `/api/vessels/${id}`, { imoNumber: "9074728" });
  await expect(page.getByRole("button", { name: "1 new" })).toBeVisible();
  await expect(rows).toHaveCount(shown);
  expect(await topOfRow(), "the button moves no row").toBe(top);
  await page.getByRole("button", { name: "1 new" }).click();
  await expect(rows).toHaveCount(shown + 1);
  await page.reload();
  await expect(page.getByRole("combobox", { name: "State" })).toHaveValue("completed_with_errors");

  // The overview shows which records are rejected now, not what an earlier sync found.
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByLabel("Status")).toContainText(`${before + 1} rejected records`);
  const item = page.getByRole("listitem").filter({ hasText: `${before + 1} records are rejected` });
  await item.getByRole("link", { name: "View records" }).click();
  await expect(page.getByLabel("Status")).toContainText(`${before + 1} records are rejected`);
  await expect(page.getByRole("table", { name: "Findings" })).toContainText("9074728");
  await portal("PATCH", `/api/vessels/${id}`, { imoNumber });
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByLabel("Status")).toContainText(`${before} rejected records`);
});

test("a retry repeats only what failed", async ({ page }) => {
  await signIn(page);
  const { data } = await api<{ data: { syncId: string; mode: string }[] }>("/api/sync/history");
  await page.goto(`${system().url}/syncs/${data.find((sync) => sync.mode === "full")?.syncId}`);
  await page.getByRole("button", { name: "Retry failed" }).click();
  await expect(page.getByRole("dialog")).toContainText(`${await rejected()} rejected records`);
  await page.getByRole("dialog").getByRole("button", { name: "Retry failed" }).click();
  await expect(page.getByRole("heading", { name: "Retry sync" })).toBeVisible();
  await expect(page.getByLabel("Status")).toContainText("Completed with errors");
  await page.getByRole("link", { name: "the failures of an earlier sync" }).click();
  await expect(page.getByRole("heading", { name: "Full sync" })).toBeVisible();
});

test("rows are selected and opened by keyboard, and Back returns to the list", async ({ page }) => {
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
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
});

test("a running full sync is shown, cancelled, and resumed to its end", async ({ page }) => {
  await portal("PUT", "/api/faults", { kind: "slow", path: "equipment", delayMs: 60_000 });
  try {
    await signIn(page);
    await page.getByRole("button", { name: "Start full sync" }).click();
    await page.getByLabel("Reason").fill("to be cancelled");
    await page.getByRole("dialog").getByRole("button", { name: "Start full sync" }).click();
    const status = page.getByLabel("Status");
    await expect(status.getByText("Running", { exact: true })).toBeVisible();
    await expect(page.getByText("to be cancelled")).toBeVisible();
    const phase = page.getByRole("listitem").filter({ hasText: "Phase 2" });
    await expect(phase).toContainText("in progress");
    await checkPage(page, "sync-running");

    await page.getByRole("link", { name: "Overview" }).click();
    await expect(page.getByRole("link", { name: "View running sync" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Start full sync" })).toHaveCount(0);
    await checkPage(page, "overview-running");
    await page.getByRole("link", { name: "View running sync" }).click();
    await page.getByRole("button", { name: "Cancel sync" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel sync" }).click();
    await expect(status.getByText("Cancelled", { exact: true })).toBeVisible();
    await expect(status.getByText(/^Cancelled by anna after/)).toBeVisible();
    await expect(page.getByRole("button", { name: "Start another full sync" })).toBeVisible();
  } finally {
    await portal("DELETE", "/api/faults");
  }
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
  await expect(page.getByLabel("Status").getByText(/^Completed/)).toBeVisible({ timeout: 120_000 });
});

test("another admin's change is shown and kept beside an unsaved draft", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByLabel("Page size").fill("300");
  await api("/api/sync/settings", {
    method: "POST",
    body: JSON.stringify({ incrementalOverlapSeconds: 450 }),
  });
  await expect(page.getByText("changed the settings while you were editing")).toBeVisible();
  await expect(page.getByLabel("Overlap")).toHaveValue("450 s");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("Settings saved")).toBeVisible();
  expect(await api("/api/sync/settings")).toMatchObject({ incrementalOverlapSeconds: 450, pageSize: 300 });
});

test("leaving unsaved changes asks first, and staying keeps them", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByLabel("Page size").fill("400");
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).getByText("Keep editing").click();
  await expect(page.getByLabel("Page size")).toHaveValue("400");
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("button", { name: "Leave without saving" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
});

test("a field error of the server marks its field, and an empty number is not sent", async ({
  page,
  faults,
}) => {
  const saved = await api<{ pageSize: number }>("/api/sync/settings");
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByLabel("Page size").fill("5000");
  await page.getByRole("button", { name: "Save settings" }).click();
  const pageSize = page.getByLabel("Page size");
  await expect(pageSize).toHaveAttribute("aria-invalid", "true");
  // Not behind the bar of unsaved changes.
  await expect(pageSize).toBeFocused();
  await expect(pageSize).toBeInViewport({ ratio: 1 });
  await pageSize.fill("");
  await pageSize.press("Enter");
  await expect(page.getByText("Enter a number.")).toBeVisible();
  expect(await api("/api/sync/settings")).toMatchObject({ pageSize: saved.pageSize });
  await page.getByRole("button", { name: "Discard" }).click();
  ignoreFaults(faults, "422");
});

test("the connection test reports that the connection works", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByRole("button", { name: "Test connection" }).click();
  await expect(page.getByText("The connection works")).toBeVisible();
});

test("a dead letter appears by itself, is opened and replayed", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/dead-letters`);
  await expect(page.getByText("No dead letters waiting")).toBeVisible();
  const { amqpApi, vhost } = system();
  await management(amqpApi, "POST", `/api/exchanges/${vhost}/sms.sync/publish`, {
    routing_key: "sync.tasks",
    payload: "this is no task",
    payload_encoding: "string",
    properties: { message_id: "e2e-garbage", delivery_mode: 2, type: "sms.sync.v1.SyncTask" },
  });
  await expect(page.getByText("1 dead letter waiting")).toBeVisible();
  await page.getByRole("table", { name: "Dead letters" }).getByRole("link").first().click();
  const drawer = page.getByRole("dialog", { name: "Dead letter" });
  await expect(drawer.getByText("this is no task")).toBeVisible();
  await expect(page).toHaveURL(/open=/);
  await drawer.getByRole("button", { name: "Replay", exact: true }).click();
  await page
    .getByRole("dialog", { name: "Replay 1 dead letter?" })
    .getByRole("button", { name: "Replay 1 dead letter" })
    .click();
  // The job shows its result: the message still is no task.
  await expect(drawer.getByText("1 dead letter: 1 failed again.", { exact: true })).toBeVisible();
  await drawer.getByRole("link", { name: "View dead letter" }).click();
  await expect(drawer.getByText("The message failed again after a replay.")).toBeVisible();
});

test("a replay of all says how many and why, then shows its job and what failed again", async ({ page }) => {
  const { amqpApi, vhost } = system();
  for (const id of ["e2e-bad-1", "e2e-bad-2"]) {
    await management(amqpApi, "POST", `/api/exchanges/${vhost}/sms.sync/publish`, {
      routing_key: "sync.tasks",
      payload: "this is no task either",
      payload_encoding: "string",
      properties: { message_id: id, delivery_mode: 2, type: "sms.sync.v1.SyncTask" },
    });
  }
  await signIn(page);
  await page.goto(`${system().url}/dead-letters`);
  await expect(page.getByText("3 dead letters waiting")).toBeVisible();
  await page.getByRole("button", { name: "Replay all 3" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay 3 dead letters?" });
  await expect(dialog.getByRole("region", { name: "Causes" }).getByRole("listitem").first()).toBeVisible();
  await checkPage(page, "replay-dialog");
  await dialog.getByRole("button", { name: "Replay 3 dead letters" }).click();
  await expect(page).toHaveURL(/job=/);
  await expect(page.getByText("3 dead letters: 3 failed again.", { exact: true })).toBeVisible();
  await checkPage(page, "replay-job");
  await page.getByRole("list", { name: "Failed again" }).getByRole("link").first().click();
  await expect(page.getByRole("dialog", { name: "Dead letter" })).toBeVisible();
});

test("a lost connection is reported, and its missed updates are fetched", async ({ page, faults }) => {
  const proxy = await startProxy();
  try {
    await signIn(page, system().admin, proxy.url);
    await expect(page.getByText("none: off or paused")).toBeVisible();
    proxy.cut();
    await expect(page.getByText("reconnecting", { exact: true })).toBeVisible();
    await expect(page.getByText(/^The live connection is lost/)).toBeVisible();
    await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ enableScheduledSync: true }) });
    proxy.restore();
    await expect(page.getByText("live", { exact: true })).toBeVisible();
    await expect(page.getByText(/^The live connection is lost/)).toHaveCount(0);
    await expect(page.getByText("none: off or paused")).toHaveCount(0);
  } finally {
    proxy.close();
    await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ enableScheduledSync: false }) });
  }
  ignoreFaults(faults, "net::ERR");
});

test("a viewer sees no actions of other roles", async ({ page }) => {
  await signIn(page, system().viewer);
  await expect(page.getByRole("button", { name: "Start full sync" })).toHaveCount(0);
  await page.goto(`${system().url}/settings`);
  await expect(page.getByText("Settings are changed by an admin")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save settings" })).toHaveCount(0);
});
