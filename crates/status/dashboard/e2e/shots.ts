// Makes screenshots of every page: empty, full, while it loads and while the service fails; in both themes, on a desktop and on
// a phone. They are written to shots/, and the best of them to docs/images. `npm run shots` runs it.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import {
  api,
  ensureFullSync,
  expect,
  ignoreFaults,
  portal,
  signIn,
  signInForVessel,
  test,
} from "./checked-page";
import { management, system } from "./system";

const HERE = dirname(fileURLToPath(import.meta.url));
const SHOTS = join(HERE, "../shots");
const DOCS = join(HERE, "../../../../docs/images");
const THEMES = ["light", "dark"] as const;
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

/** Waits until the page has its data: no skeleton, and no request for data on its way. */
async function settle(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
  await page.waitForTimeout(400);
}

/** The whole page as it stands, in both themes and sizes. `isSettled`: waits for its data first. */
async function shoot(page: Page, folder: string, name: string, isSettled = true): Promise<void> {
  mkdirSync(join(SHOTS, folder), { recursive: true });
  for (const size of [DESKTOP, PHONE]) {
    await page.setViewportSize(size);
    if (isSettled) await settle(page);
    // A window as high as the page: fixed parts stand at its end, not within it.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ ...size, height: Math.min(4000, Math.max(size.height, height)) });
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.waitForTimeout(100);
      await page.screenshot({ path: join(SHOTS, folder, `${name}-${colorScheme}-${size.width}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(DESKTOP);
}

/** One window of the page for docs/dashboard.md. */
async function shootForDocs(
  page: Page,
  name: string,
  colorScheme: (typeof THEMES)[number] = "light",
  size = DESKTOP,
) {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.evaluate(() => scrollTo(0, 0));
  await settle(page);
  await page.screenshot({ path: join(DOCS, `${name}.png`) });
}

const open = async (page: Page, path: string) => {
  await page.goto(`${system().url}${path}`);
  await settle(page);
};

const LISTS = [
  ["overview", "/"],
  ["syncs", "/syncs"],
  ["records", "/records"],
  ["webhooks", "/webhooks"],
  ["webhooks-refused", "/webhooks?view=refused"],
  ["data-quality", "/data-quality"],
  ["conflicts", "/conflicts"],
  ["dead-letters", "/dead-letters"],
  ["users", "/users"],
  ["role-mapping", "/users/role-mapping"],
  ["schedules", "/schedules"],
  ["analytics", "/analytics"],
  ["doctor", "/doctor"],
  ["audit", "/audit"],
  ["settings", "/settings"],
  ["about", "/about"],
  ["search", "/search?q=nordhavn"],
] as const;

test("empty pages", async ({ page }) => {
  await page.goto(`${system().url}/`);
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await shoot(page, "full", "sign-in");
  await signIn(page);
  for (const [name, path] of LISTS) {
    await open(page, path);
    await shoot(page, "empty", name);
  }
});

interface Listed {
  sourceId: string;
  name: string;
}

/** What makes pages worth looking at: changes, a conflict, a dead letter, a refused webhook, schedules, a dry run. */
async function prepare(): Promise<void> {
  await ensureFullSync();
  const { data: vessels } = await api<{ data: Listed[] }>("/api/sync/records/vessel?limit=5&status=active");
  const [vessel, other] = vessels;
  if (!vessel || !other) throw new Error("the fleet has no two vessels");
  await portal("PATCH", `/api/vessels/${vessel.sourceId}`, { callSign: "HOAX1", flag: "LR" });
  await portal("PATCH", `/api/vessels/${other.sourceId}`, { grossTonnage: 81_250 });
  const schedule = (name: string, definition: object) =>
    api(`/api/sync/schedules/${name}`, { method: "PUT", body: JSON.stringify(definition) });
  await schedule("changes", { cron: "*/15 * * * *", mode: "incremental" });
  await schedule("nightly", { cron: "30 2 * * *", timeZone: "Europe/Oslo" });
  await schedule("orion-hourly", {
    cron: "0 6-18 * * 1-5",
    timeZone: "Europe/Oslo",
    mode: "selective",
    vesselImos: [/IMO (\d{7})/.exec(vessel.name)?.[1]],
  });
  await api("/api/sync/schedules/orion-hourly/pause", {
    method: "POST",
    body: JSON.stringify({ reason: "The ship is in dry dock", until: "2099-01-01T00:00:00Z" }),
  });
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
  const { amqpApi, vhost } = system();
  await management(amqpApi, "POST", `/api/exchanges/${vhost}/sms.sync/publish`, {
    routing_key: "sync.tasks",
    payload: "this is no task",
    payload_encoding: "string",
    properties: { message_id: "no-task", delivery_mode: 2, type: "sms.sync.v1.SyncTask" },
  });
  await portal("POST", "/api/webhooks/endpoint/disable");
  try {
    for (const { sourceId } of vessels.slice(2))
      await portal("PATCH", `/api/vessels/${sourceId}`, { deadweight: 61_300, mainEngine: "WinGD X52-S2.0" });
    const { syncId } = await api<{ syncId: string }>("/api/sync/trigger", {
      method: "POST",
      body: JSON.stringify({
        mode: "selective",
        dryRun: true,
        vesselImos: vessels.map(({ name }) => /IMO (\d{7})/.exec(name)?.[1]),
        recordTypes: ["vessel"],
        reason: "Before the new deadweights go in",
      }),
    });
    await expect
      .poll(async () => (await api<{ state: string }>(`/api/sync/status/${syncId}`)).state)
      .toBe("completed");
    // The scheduler counts every half minute.
    await expect
      .poll(
        async () =>
          (await api<{ total: { records?: { created: number } } }>("/api/sync/analytics")).total.records
            ?.created ?? 0,
        { timeout: 180_000 },
      )
      .toBeGreaterThan(0);
  } finally {
    await portal("POST", "/api/webhooks/endpoint/enable");
  }
}

/** The pages of single things, of what `prepare` has made. */
async function detailPages(): Promise<[name: string, path: string][]> {
  const first = async <T>(path: string): Promise<T | undefined> => (await api<{ data: T[] }>(path)).data[0];
  const sync = await first<{ syncId: string }>("/api/sync/history?mode=full");
  const dryRun = await first<{ syncId: string }>("/api/sync/history?dryRun=true");
  const vessel = await first<Listed>("/api/sync/records/vessel?limit=5&status=active");
  const rejected = await first<Listed>("/api/sync/records/vessel?status=rejected");
  const pump = await first<Listed>("/api/sync/records/equipment?q=pump&status=active");
  const conflict = await first<{ id: string }>("/api/sync/conflicts?state=open");
  const webhook = await first<{ id: string }>("/api/sync/webhooks");
  const letter = await first<{ id: string }>("/api/sync/dead-letters");
  const user = await first<{ id: string }>("/api/sync/users");
  return [
    ["sync", `/syncs/${sync?.syncId}`],
    ["dry-run", `/syncs/${dryRun?.syncId}`],
    ["vessel", `/records/vessel/${vessel?.sourceId}`],
    ["equipment", `/records/equipment/${pump?.sourceId}`],
    ["record-rejected", `/records/vessel/${rejected?.sourceId}`],
    ["doctor-record", `/doctor?recordType=vessel&sourceId=${rejected?.sourceId}`],
    ["conflict", `/conflicts?open=${conflict?.id}`],
    ["webhook", `/webhooks?open=${webhook?.id}`],
    ["dead-letter", `/dead-letters?open=${letter?.id}`],
    ["user", `/users?open=${user?.id}`],
    ["schedule", "/schedules?open=nightly"],
    ["schedule-form", "/schedules?open=orion-hourly&form=edit"],
  ];
}

/** Those of which docs/images has one. */
const IN_DOCS = new Set(["sync", "dry-run", "vessel", "schedule", "doctor-record", "conflict"]);

test("full pages", async ({ page }) => {
  await prepare();
  await signIn(page);
  await expect(async () => {
    expect((await api<{ deadLetters: number }>("/api/sync/status")).deadLetters).toBeGreaterThan(0);
  }).toPass();
  for (const [name, path] of LISTS) {
    await open(page, path);
    await shoot(page, "full", name);
  }
  const details = await detailPages();
  for (const [name, path] of details) {
    await open(page, path);
    await shoot(page, "full", name);
  }
  await open(page, "/audit");
  await page.getByRole("button", { name: "Verify the chain" }).click();
  await expect(page.getByText("Intact", { exact: true })).toBeVisible();
  await shoot(page, "full", "audit-chain");

  await open(page, "/");
  await shootForDocs(page, "dashboard");
  await shootForDocs(page, "dashboard-dark", "dark");
  await shootForDocs(page, "dashboard-phone", "light", PHONE);
  for (const [name, path] of details.filter(([name]) => IN_DOCS.has(name))) {
    await open(page, path);
    await shootForDocs(page, `dashboard-${name.replace("doctor-record", "doctor")}`);
  }
  await open(page, "/");
  await page.keyboard.press("/");
  await expect(page.getByRole("dialog", { name: "Search" }).getByRole("combobox")).toBeFocused();
  await page.keyboard.type("nordhavn");
  await expect(page.getByRole("option", { name: /^Nordhavn/ }).first()).toBeVisible();
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(DOCS, "dashboard-search.png") });
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Start another kind of sync" }).click();
  await page.getByRole("menuitem", { name: /^Choose records/ }).click();
  await shoot(page, "full", "start");
});

test("pages for a part of the fleet", async ({ page }) => {
  const { data } = await api<{ data: Listed[] }>("/api/sync/records/vessel?limit=1&status=active");
  await signInForVessel(page, /IMO (\d{7})/.exec(data[0]?.name ?? "")?.[1] ?? "");
  await shoot(page, "full", "fleet-part");
  await open(page, "/syncs");
  await shoot(page, "full", "closed");
});

test("a running sync", async ({ page }) => {
  await portal("PUT", "/api/faults", { kind: "slow", path: "users", delayMs: 20_000 });
  try {
    const { syncId } = await api<{ syncId: string }>("/api/sync/trigger", {
      method: "POST",
      body: JSON.stringify({ mode: "full" }),
    });
    await signIn(page);
    await open(page, `/syncs/${syncId}`);
    await expect(page.getByRole("listitem").filter({ hasText: "Phase 2" })).toContainText("in progress");
    await shoot(page, "full", "sync-running");
    await open(page, "/");
    await shoot(page, "full", "overview-running");
  } finally {
    await portal("DELETE", "/api/faults");
  }
});

/** What a page asks for, but who is signed in and the stream of updates. */
const DATA_OF_PAGES = /\/api\/(?!session|sync\/(updates|me)$)|\/version$/;

test("pages while they load", async ({ page }) => {
  await signIn(page);
  await page.route(DATA_OF_PAGES, () => new Promise(() => {}));
  for (const [name, path] of [...LISTS, ...(await detailPages())]) {
    await page.goto(`${system().url}${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    // Skeletons come after a moment.
    await page.waitForTimeout(400);
    await shoot(page, "loading", name, false);
  }
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("pages while the service fails", async ({ page, faults }) => {
  await signIn(page);
  await page.route(DATA_OF_PAGES, (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({
        type: "about:blank",
        title: "Service Unavailable",
        status: 503,
        code: "database_unavailable",
        detail: "The database does not answer. Try again in a moment.",
        traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      }),
    }),
  );
  for (const [name, path] of [...LISTS, ...(await detailPages())]) {
    await page.goto(`${system().url}${path}`);
    // The queries are tried three times. The page "About" has no list that could fail as a whole.
    await expect(
      page
        .getByRole("alert")
        .or(page.getByText(/^unknown: /))
        .first(),
    ).toBeVisible();
    await shoot(page, "error", name);
  }
  await page.unrouteAll({ behavior: "ignoreErrors" });
  ignoreFaults(faults, "503");
});
