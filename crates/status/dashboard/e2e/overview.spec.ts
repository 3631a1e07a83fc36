// The overview's charts: they come later than the page, and move nothing. A system without figures says so.
import { api, checkPage, ensureFullSync, expect, signIn, test } from "./checked-page";
import { system } from "./system";

declare global {
  interface Window {
    layoutShift: number;
  }
}

interface Analytics {
  total: { records?: { created: number } };
}
const VARIANTS = [
  { name: "light", colorScheme: "light", viewport: { width: 1440, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1440, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
] as const;

test("the overview charts the last day with tables behind, and nothing moves when charts arrive", async ({
  page,
}) => {
  test.setTimeout(600_000);
  await ensureFullSync();
  // The scheduler counts every half minute.
  await expect
    .poll(async () => (await api<Analytics>("/api/sync/analytics")).total.records?.created ?? 0, {
      timeout: 180_000,
    })
    .toBeGreaterThan(0);
  await page.addInitScript(() => {
    window.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
        window.layoutShift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await signIn(page);
  const chart = page.getByRole("img", { name: "Records by outcome in each hour" });
  for (const { name, colorScheme, viewport } of VARIANTS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await page.goto(`${system().url}/`);
    // Charts are drawn when they come into view.
    await page.getByRole("heading", { name: "Records by outcome" }).scrollIntoViewIfNeeded();
    await page.mouse.wheel(0, 300);
    await expect(chart.locator("svg.recharts-surface").first()).toBeVisible();
    expect(await page.evaluate(() => window.layoutShift)).toBeLessThan(0.05);
    await checkPage(page, `overview-charts-${name}`);
  }
  await page.getByText("Show as table").first().click();
  await expect(page.getByRole("table", { name: "Records by outcome" }).getByRole("row")).toHaveCount(25);
  await checkPage(page, "overview-charts-table-phone");
});
