// Pages at widths between a phone and a desktop, with long names, in forced colours, and for a finger.
import type { Page } from "@playwright/test";
import { api, ensureFullSync, expect, expectAccessible, signIn, test } from "./checked-page";
import { system } from "./system";

const LONG_NAME = `Überseetransport ${"Schifffahrtsgesellschaft".repeat(7)} ABC`;
const RTL_NAME = "سفينة الشحن الكبيرة \u200f(IMO 9074729)";
const UNBROKEN_CODE = "1234567890".repeat(19);

/** The tables and other parts of the page that are wider than their frame. */
const overflowing = (page: Page) =>
  page.evaluate(() => [
    ...[...document.querySelectorAll("section, div, main")]
      .filter(
        (part) => getComputedStyle(part).overflowX === "auto" && part.scrollWidth > part.clientWidth + 1,
      )
      .map(
        (part) => `${part.querySelector("[aria-label]")?.getAttribute("aria-label")}: ${part.scrollWidth}`,
      ),
    ...(document.documentElement.scrollWidth > innerWidth ? ["page"] : []),
  ]);

async function pagesToVisit(): Promise<string[]> {
  const { data } = await api<{ data: { syncId: string; mode: string }[] }>("/api/sync/history");
  const full = data.find((sync) => sync.mode === "full")?.syncId;
  const vessels = await api<{ data: { sourceId: string }[] }>("/api/sync/records/vessel?limit=1");
  return [
    "/",
    "/syncs",
    `/syncs/${full}`,
    "/data-quality",
    "/conflicts",
    "/dead-letters",
    "/webhooks",
    "/users",
    "/users/role-mapping",
    "/schedules",
    "/analytics",
    "/doctor",
    "/records",
    `/records/vessel/${vessels.data[0]?.sourceId}`,
    "/search?q=nord",
    "/audit",
    "/settings",
    "/about",
  ];
}

test("no page or table is wider than its frame from a phone to a desktop", async ({ page }) => {
  test.setTimeout(600_000);
  await ensureFullSync();
  await signIn(page);
  for (const path of await pagesToVisit()) {
    await page.goto(`${system().url}${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    // 640 is also a desktop of 1280 px at a zoom of 200 %.
    for (const width of [360, 640, 700, 768, 860, 960, 1024, 1100, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => overflowing(page), { message: `${path} at ${width} px` }).toEqual([]);
    }
  }
});

test("long names and names from right to left stay within their rows", async ({ page }) => {
  test.setTimeout(600_000);
  await ensureFullSync();
  const names = [LONG_NAME, RTL_NAME, UNBROKEN_CODE];
  let count = 0;
  const renamed = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(renamed)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(
            Object.entries(value).map(([key, inner]) => [
              key,
              [
                "label",
                "requestedBy",
                "reason",
                "summary",
                "message",
                "updatedBy",
                "failure",
                "email",
                "actor",
                "subject",
              ].includes(key)
                ? names[count++ % names.length]
                : renamed(inner),
            ]),
          )
        : value;
  await page.route(/\/api\/sync\/(?!updates|me)/, async (route) => {
    const answer = await route.fetch();
    if (!answer.headers()["content-type"]?.includes("json")) return route.fulfill({ response: answer });
    await route.fulfill({ response: answer, json: renamed(await answer.json()) });
  });
  await signIn(page);
  for (const path of await pagesToVisit()) {
    await page.goto(`${system().url}${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    for (const width of [360, 800, 1024, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => overflowing(page), { message: `${path} at ${width} px` }).toEqual([]);
    }
    await page.screenshot({
      path: `test-results/pages/long-names${path.replaceAll("/", "-").slice(0, 14)}.png`,
      fullPage: true,
    });
  }
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("the bars of recent syncs are large enough for a finger", async ({ page }) => {
  test.setTimeout(420_000);
  await ensureFullSync();
  await signIn(page);
  await page.setViewportSize({ width: 390, height: 844 });
  const bars = page.getByRole("link", { name: / read$/ });
  await expect(bars.last()).toBeVisible();
  for (const bar of await bars.all()) {
    const box = await bar.boundingBox();
    if (box) expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(24);
  }
});

test.describe("forced colours", () => {
  test.use({ contextOptions: { forcedColors: "active" } });
  test("states and bars are visible in forced colours", async ({ page }) => {
    test.setTimeout(420_000);
    await ensureFullSync();
    await signIn(page);
    const bar = page
      .getByRole("link", { name: / read$/ })
      .last()
      .locator("span[data-tone]")
      .last();
    await expect(bar).toBeVisible();
    const colours = await bar.evaluate((element) => [
      getComputedStyle(element).backgroundColor,
      getComputedStyle(document.body).backgroundColor,
    ]);
    expect(colours[0]).not.toBe(colours[1]);
    await expectAccessible(page);
    await page.screenshot({ path: "test-results/pages/overview-forced-colours.png", fullPage: true });
  });
});

test.describe("a browser clock that is two hours behind", () => {
  test("relative times follow the server", async ({ page }) => {
    test.setTimeout(420_000);
    await ensureFullSync();
    await page.clock.install({ time: Date.now() - 2 * 3_600_000 });
    await signIn(page);
    await expect(page.getByLabel("Status")).toContainText("Last full sync");
    await expect(page.getByLabel("Status").locator("time").first()).toHaveText(/ago|just now/);
    await expect(page.getByText(/in \d+ (h|min)/)).toHaveCount(0);
  });
});
