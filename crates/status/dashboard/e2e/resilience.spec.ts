// What the dashboard shows when the service is not reachable, is newer than the dashboard, or many tabs are open.
import { type Page, test as plainTest } from "@playwright/test";
import { api, ensureFullSync, expect, ignoreFaults, signIn, test } from "./checked-page";
import { startProxy } from "./proxy";
import { system } from "./system";

const PAGES = [
  "Syncs",
  "Records",
  "Data quality",
  "Conflicts",
  "Dead letters",
  "Webhooks",
  "Users",
  "Schedules",
  "Doctor",
  "Audit log",
  "Settings",
  "About",
  "Overview",
];

const openPage = async (page: Page, name: string) => {
  await page
    .getByRole("navigation", { name: "Pages" })
    .getByRole("link", { name: new RegExp(`^${name}`) })
    .click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
};

test("every page opens while the service is not reachable", async ({ page, faults }) => {
  const proxy = await startProxy();
  try {
    await signIn(page, system().admin, proxy.url);
    await expect(page.getByRole("heading", { name: "Health" })).toBeVisible();
    // The files of all pages are loaded after the start.
    await page.waitForFunction(
      (files) => {
        const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
        return files.every((file) => loaded.some((name) => name.includes(`/assets/${file}-`)));
      },
      [
        "syncs",
        "webhooks",
        "data-quality",
        "conflicts",
        "dead-letters",
        "users",
        "schedules",
        "doctor",
        "audit",
        "settings",
        "about",
      ],
    );
    proxy.cut();
    await expect(page.getByText(/^The live connection is lost/)).toBeVisible();
    for (const name of PAGES) await openPage(page, name);
    // The figures of a page that was open before are still there.
    await expect(page.getByRole("table", { name: "Records in the maintenance portal" })).toBeVisible();
    await openPage(page, "Settings");
    await expect(page.getByText("SMS Sync is not responding").first()).toBeVisible();
    proxy.restore();
    await expect(page.getByText("live", { exact: true })).toBeVisible();
    await expect(page.getByLabel("Page size")).toBeVisible();
  } finally {
    proxy.close();
  }
  ignoreFaults(faults, "net::ERR");
});

test("a page whose file cannot be loaded keeps the navigation and can be retried", async ({
  page,
  faults,
}) => {
  let isMissing = true;
  await page.route(/\/assets\/settings-.*\.js/, (route) => (isMissing ? route.abort() : route.continue()));
  await signIn(page);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Settings" }).click();
  await expect(page.getByText("The page could not be loaded")).toBeVisible();
  await openPage(page, "Syncs");
  isMissing = false;
  await openPage(page, "Settings");
  ignoreFaults(faults, "net::ERR");
  ignoreFaults(faults, "dynamically imported module");
});

test("words that the dashboard does not know never blank a page", async ({ page }) => {
  test.setTimeout(420_000);
  await ensureFullSync();
  const KEYS = new Set([
    "state",
    "cause",
    "mode",
    "kind",
    "recordType",
    "class",
    "severity",
    "scheduleMode",
    "missingRecords",
    "code",
    "winner",
    "policy",
    "eventType",
    "reason",
  ]);
  const replaced = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(replaced)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value).map(([key, inner]) => [
              key,
              KEYS.has(key) && typeof inner === "string" ? "word_of_tomorrow" : replaced(inner),
            ]),
          )
        : value;
  await page.route(/\/api\/sync\/(?!updates|me)/, async (route) => {
    const answer = await route.fetch();
    if (!answer.headers()["content-type"]?.includes("json")) return route.fulfill({ response: answer });
    await route.fulfill({ response: answer, json: replaced(await answer.json()) });
  });
  await signIn(page);
  await expect(page.getByLabel("Status")).toBeVisible();
  // A state that the dashboard does not know is no evidence that the fleet is in sync.
  await expect(page.locator('section[aria-label="Status"][data-tone="good"]')).toHaveCount(0);
  for (const name of PAGES) await openPage(page, name);
  await openPage(page, "Syncs");
  await page.getByRole("table", { name: "Syncs" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Record counts" })).toBeVisible();
  await expect(page.getByLabel("Status")).toContainText("Word of tomorrow");
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

// Not of one page: faults of the console belong to eight.
plainTest("eight tabs are live at once, and each receives an update", async ({ context }) => {
  const tabs: Page[] = [];
  for (let tab = 0; tab < 8; tab++) {
    const page = await context.newPage();
    // The first one signs all in.
    if (tab === 0) await signIn(page);
    else await page.goto(`${system().url}/`);
    await expect(page.getByText("live", { exact: true })).toBeVisible();
    tabs.push(page);
  }
  for (const page of tabs) await openPage(page, "Settings");
  const save = (pageSize: number) =>
    api("/api/sync/settings", { method: "POST", body: JSON.stringify({ pageSize }) });
  await save(222);
  for (const page of tabs) await expect(page.getByLabel("Page size")).toHaveValue("222");
  // The stream goes on when the tab that opened it is closed.
  await tabs[0]?.close();
  await save(200);
  for (const page of tabs.slice(1)) await expect(page.getByLabel("Page size")).toHaveValue("200");
});

test("a page that is older than the service says so, and a reload brings the new one", async ({ page }) => {
  // As a page that was loaded before the service was updated: its own start has another name.
  let documents = 0;
  await page.route(`${system().url}/`, async (route) => {
    const isAskedByPage = route.request().resourceType() !== "document";
    if (!isAskedByPage) documents += 1;
    const answer = await route.fetch();
    const html = await answer.text();
    await route.fulfill({
      response: answer,
      // Until the page was loaded again.
      body: isAskedByPage && documents < 2 ? html.replace(/index-[\w-]+\.js/, "index-NEWER.js") : html,
    });
  });
  await signIn(page);
  await expect(page.getByText("This page is older than the service", { exact: false })).toBeVisible();
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(page.getByRole("heading", { name: "Health" })).toBeVisible();
  await expect(page.getByText("This page is older than the service", { exact: false })).toHaveCount(0);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});
