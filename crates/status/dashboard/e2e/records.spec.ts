// Webhooks, conflicts, users, the audit log, and the filters of lists.
import { readFileSync } from "node:fs";
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
import { management, system } from "./system";

type Item = { record: { id: string; name?: string; isCritical?: boolean } };
const list = (path: string) => portal<{ data: Item[] }>("GET", path).then(({ data }) => data);

test.beforeEach(async () => {
  test.setTimeout(420_000);
  await ensureFullSync();
});

test("a webhook is listed with its state, opened with its body, and reprocessed", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/webhooks`);
  await expect(page.getByLabel("Status")).toBeVisible();
  const [vessel] = await list("/api/vessels?state=approved&limit=1");
  await portal("PATCH", `/api/vessels/${vessel?.record.id}`, { callSign: "LAXX7" });
  const table = page.getByRole("table", { name: "Webhooks" });
  await expect(table.getByRole("row").nth(1)).toContainText("vessel.updated");
  await expect(table.getByRole("row").nth(1)).toContainText("Processed");
  await checkPage(page, "webhooks");
  await table.getByRole("link").first().click();
  const drawer = page.getByRole("dialog", { name: "Webhook" });
  await expect(drawer.getByRole("link", { name: "View sync and its record counts" })).toBeVisible();
  await drawer.getByRole("button", { name: "Show body" }).click();
  await expect(drawer.getByRole("region", { name: "Body of the webhook" })).toContainText("vessel.updated");
  await checkPage(page, "webhook");
  await drawer.getByRole("button", { name: "Reprocess" }).click();
  await page
    .getByRole("dialog", { name: "Reprocess the webhook?" })
    .getByRole("button", { name: "Reprocess" })
    .click();
  await expect(page.getByText("Reprocessing 1 webhook")).toBeVisible();
  await page.keyboard.press("Escape");

  await page.getByRole("combobox", { name: "Record type" }).selectOption({ label: "Vessels" });
  await expect(page).toHaveURL(/recordType=vessel/);
  await page.getByRole("button", { name: "Reprocess these" }).click();
  await expect(page.getByRole("dialog", { name: /^Reprocess \d+ webhooks?\?$/ })).toBeVisible();
  await expectAccessible(page);
});

test("a request with a wrong signature is listed as refused, with its reason and sender", async ({
  page,
}) => {
  await fetch(`${system().url}/api/sync/webhook`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "stranger/1.0",
      "webhook-id": "msg_stranger",
      "webhook-timestamp": String(Math.floor(Date.now() / 1000)),
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    body: JSON.stringify({ type: "vessel.approved" }),
  });
  await signIn(page);
  await page.goto(`${system().url}/webhooks`);
  await page.getByRole("link", { name: "Refused" }).click();
  const table = page.getByRole("table", { name: "Refused requests" });
  await expect(table).toContainText("Wrong signature");
  await expect(table).toContainText("stranger/1.0");
  await expect(page.getByLabel("Status")).toContainText("refused in the last 24 hours");
  await checkPage(page, "webhooks-refused");
  await page.getByRole("combobox", { name: "Reason" }).selectOption({ label: "Body too large" });
  await expect(page.getByText("No refused requests match the filters")).toBeVisible();
});

test("conflicts are decided side by side, and many at once with their number", async ({ page }) => {
  const open = async () =>
    (
      await api<{ pagination: { total: number } }>(
        "/api/sync/conflicts?state=open&kind=criticality_downgrade",
      )
    ).pagination.total;
  // The portal lowers the criticality of equipment: an operator decides about each.
  const equipment = (await list("/api/equipment?state=approved&limit=100")).filter(
    ({ record }) => record.isCritical,
  );
  const total = (await open()) + 3;
  const lowered = equipment.slice(0, 3);
  expect(lowered).toHaveLength(3);
  for (const { record } of lowered)
    await portal("PATCH", `/api/equipment/${record.id}`, { isCritical: false, criticalityBasis: null });
  await expect.poll(open).toBe(total);

  await signIn(page);
  await page.goto(`${system().url}/conflicts`);
  await page.getByRole("combobox", { name: "Kind" }).selectOption({ label: "Criticality" });
  const table = page.getByRole("table", { name: "Conflicts" });
  // Each row also links to its record.
  const rows = table.locator("[data-row-link]");
  await expect(rows).toHaveCount(total);
  await rows.first().click();
  const drawer = page.getByRole("dialog", { name: "Conflict" });
  const fields = drawer.getByRole("table", { name: "Fields" });
  await expect(fields).toContainText("Maintenance portal");
  await expect(fields).toContainText("Onboarding portal");
  await checkPage(page, "conflict");
  const radios = drawer.getByRole("radio", { name: /onboarding portal$/ });
  await radios.first().check();
  await drawer.getByRole("button", { name: "Use 1 chosen field" }).click();
  const dialog = page.getByRole("dialog", { name: "Resolve the conflict?" });
  await expect(dialog).toContainText("All other fields stay as they are.");
  await dialog.getByRole("button", { name: "Resolve" }).click();
  await expect(drawer.getByText("Resolved", { exact: true }).first()).toBeVisible();
  await drawer.getByRole("button", { name: "Close" }).click();

  // One's own decision is shown at once, although a list under a filter does not move by itself.
  const left = total - 1;
  await expect(rows).toHaveCount(left);
  await page.getByRole("button", { name: `Select all ${left} on this page` }).click();
  await page.getByRole("button", { name: `Resolve ${left} conflicts` }).click();
  const bulk = page.getByRole("dialog", { name: `Resolve ${left} conflicts?` });
  await expect(bulk.getByRole("region", { name: "Records" }).getByRole("listitem")).toHaveCount(left);
  await checkPage(page, "conflicts-bulk");
  await bulk.getByLabel("Decision").selectOption({ label: "Use maintenance portal" });
  await bulk.getByRole("button", { name: `Resolve ${left} conflicts` }).click();
  await expect(page.getByText(`${left} conflicts resolved`)).toBeVisible();
  expect(await open()).toBe(0);
});

test("a user's role is explained, and the temporary password is claimed once and made anew", async ({
  page,
}) => {
  const { data } = await api<{ data: { email: string; password: string; maySignIn: boolean }[] }>(
    "/api/sync/users?limit=200",
  );
  const user = data.find(({ password, maySignIn }) => password === "to_claim" && maySignIn);
  if (!user) throw new Error("no user has a password to claim");
  await signIn(page);
  await page.goto(`${system().url}/users`);
  await page.getByRole("searchbox", { name: "Search by email or ID" }).fill(user.email);
  const table = page.getByRole("table", { name: "Users" });
  await expect(table.getByRole("link")).toHaveCount(1);
  await expect(page).toHaveURL(/search=/);
  await checkPage(page, "users");
  await table.getByRole("link").click();
  const drawer = page.getByRole("dialog", { name: "User" });
  await expect(drawer.getByText(/of the role mapping/)).toBeVisible();
  await checkPage(page, "user");
  await drawer.getByRole("button", { name: "Claim password" }).click();
  await page.getByRole("button", { name: "Claim and show" }).click();
  const shown = page.getByRole("dialog", { name: "Temporary password", exact: true });
  await expect(shown.getByText("It is not shown again.")).toBeVisible();
  await expect(shown.getByText(/^.{8,}$/).first()).toBeVisible();
  await expectAccessible(page);
  await shown.getByRole("button", { name: "I have noted it" }).click();
  await expect(shown).toHaveCount(0);
  await expect(drawer.getByText("Claimed", { exact: true })).toBeVisible();
  await expect(drawer.getByRole("button", { name: "Claim password" })).toHaveCount(0);

  await drawer.getByRole("button", { name: "Make a new password" }).click();
  const dialog = page.getByRole("dialog", { name: "Make a new temporary password?" });
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await dialog.getByRole("button", { name: "Make a new password" }).click();
  await expect(drawer.getByText("The new password can be claimed.")).toBeVisible();
  await expect(drawer.getByRole("button", { name: "Claim password" })).toBeVisible();
});

test("a dead letter names its record, and those of one record are listed and replayed", async ({ page }) => {
  const { data: webhooks } = await api<{ data: { id: string; recordType: string; sourceId: string }[] }>(
    "/api/sync/webhooks?recordType=vessel&limit=1",
  );
  const [webhook] = webhooks;
  if (!webhook) throw new Error("no webhook about a vessel has come");
  const { amqpApi, vhost } = system();
  // A message about the webhook's record that cannot be read.
  await management(amqpApi, "POST", `/api/exchanges/${vhost}/sms.sync/publish`, {
    routing_key: "sync.events",
    payload: "this is no event",
    payload_encoding: "string",
    properties: { message_id: webhook.id, delivery_mode: 2, type: "sms.sync.v1.ApprovalEvent" },
  });
  await signIn(page);
  await page.goto(`${system().url}/dead-letters?recordType=vessel&sourceId=${webhook.sourceId}`);
  const table = page.getByRole("table", { name: "Dead letters" });
  const record = table.getByRole("row").nth(1).getByRole("link", { name: /IMO/ });
  await expect(record).toHaveAttribute("href", `/records/vessel/${webhook.sourceId}`);
  await expect(page.getByRole("searchbox", { name: "Record ID" })).toHaveValue(webhook.sourceId);
  await checkPage(page, "dead-letters-of-record");
  await page.getByRole("button", { name: "Replay these" }).click();
  const dialog = page.getByRole("dialog", { name: /^Replay \d+ dead letters?\?$/ });
  await expect(dialog.getByRole("region", { name: "Causes" }).getByRole("listitem")).toHaveCount(1);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await record.click();
  await expect(page.getByRole("list", { name: "Timeline" }).getByText("Dead letter").first()).toBeVisible();
});

test("a vessel lists its critical parts and maintenance schedules", async ({ page }) => {
  const { data } = await api<{ data: { sourceId: string }[] }>(
    "/api/sync/records/vessel?status=active&limit=1",
  );
  await signIn(page);
  await page.goto(`${system().url}/records/vessel/${data[0]?.sourceId}`);
  const parts = page.getByRole("table", { name: "Critical parts" });
  await expect(parts).toBeVisible();
  await expect(page.getByRole("table", { name: "Maintenance schedules" })).toContainText("every");
  await checkPage(page, "vessel-parts");
  await parts.getByRole("link").first().click();
  await expect(page).toHaveURL(/\/records\/equipment\//);
  await expect(parts).toBeVisible();
  await expect(parts.getByRole("columnheader", { name: "Equipment" })).toHaveCount(0);
});

test("the history of the settings has who changed what, with the values before and after", async ({
  page,
}) => {
  await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ pageSize: 260 }) });
  await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ pageSize: 270 }) });
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  const newest = page.getByRole("list", { name: "History" }).getByRole("listitem").first();
  await expect(newest).toContainText("Changed settings");
  await expect(newest).toContainText("anna");
  await expect(newest.getByRole("row", { name: "Page size 260 270" })).toBeVisible();
  // The list follows a change that is made while it is open.
  await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ pageSize: 280 }) });
  await expect(newest.getByRole("row", { name: "Page size 270 280" })).toBeVisible();
  await page
    .getByRole("combobox", { name: "Part of the configuration" })
    .selectOption({ label: "Role mapping" });
  await expect(page).toHaveURL(/part=role_mapping/);
  await expect(page.getByText("Changed settings")).toHaveCount(0);
});

test("the list of syncs is filtered in its URL", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/syncs?mode=full&cause=manual&dryRun=false&from=2020-01-01T00:00:00Z`);
  const table = page.getByRole("table", { name: "Syncs" });
  await expect(table.getByRole("row").nth(1)).toContainText("Full, by anna");
  await expect(page.getByLabel("From, UTC")).toHaveValue("2020-01-01T00:00");
  await page.getByRole("combobox", { name: "Dry runs" }).selectOption({ label: "Only dry runs" });
  await expect(page.getByText("No syncs match the filters")).toBeVisible();
  await checkPage(page, "syncs-filtered");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/syncs$/);
  await expect(table).toBeVisible();
});

test("the audit log is filtered and exported; a viewer learns who may read it", async ({ page, faults }) => {
  await api("/api/sync/settings", { method: "POST", body: JSON.stringify({ pageSize: 250 }) });
  await signIn(page);
  await page.getByRole("link", { name: "Audit log" }).click();
  const table = page.getByRole("table", { name: "Audit log" });
  await expect(table).toBeVisible();
  await checkPage(page, "audit");
  await page.getByRole("button", { name: "Verify the chain" }).click();
  await expect(page.getByText("Intact", { exact: true })).toBeVisible();
  await expect(page.getByText(/^[\d,]+ entries verified$/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Copy end of the chain" })).toBeVisible();
  await checkPage(page, "audit-chain");
  await page.getByRole("combobox", { name: "Action" }).selectOption({ label: "Changed settings" });
  await expect(page).toHaveURL(/action=settings\.update/);
  await expect(table.getByRole("row").nth(1)).toContainText("Changed settings");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export these" }).click();
  const file = readFileSync(await (await download).path(), "utf8");
  // The last line says that the export is whole.
  const actions = file
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { action?: string }).action)
    .filter((action) => action !== undefined);
  expect(new Set(actions)).toEqual(new Set(["settings.update"]));

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Operator token", { exact: true }).fill(system().viewer);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Only admins can read the audit log")).toBeVisible();
  await expect(page.getByRole("link", { name: "Audit log" })).toHaveCount(0);
  ignoreFaults(faults, "403");
});
