// Analytics: figures, charts with their tables, filters in the URL, and a time of which nothing is counted.
import { api, checkPage, ensureFullSync, expect, ignoreFaults, portal, signIn, test } from "./checked-page";
import { system } from "./system";

interface Analytics {
  countedUntil?: string | null;
  total: { records?: { created: number }; approvalLag?: { count: number } };
}
const VARIANTS = [
  { name: "light", colorScheme: "light", viewport: { width: 1440, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1440, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 390, height: 844 } },
] as const;

test("the figures of syncs and approvals are charted, with tables behind the charts", async ({
  page,
  faults,
}) => {
  test.setTimeout(600_000);
  await ensureFullSync();
  const { data } = await api<{ data: { sourceId: string }[] }>(
    "/api/sync/records/vessel?limit=1&status=active",
  );
  const vessel = data[0]?.sourceId;
  await portal("PATCH", `/api/vessels/${vessel}`, { callSign: "LAXX6" });
  // The scheduler counts every half minute.
  const total = async () => (await api<Analytics>(`/api/sync/analytics?vessel=${vessel}`)).total;
  await expect
    .poll(async () => (await total()).approvalLag?.count ?? 0, { timeout: 180_000 })
    .toBeGreaterThan(0);
  await expect
    .poll(async () => (await api<Analytics>("/api/sync/analytics")).total.records?.created ?? 0, {
      timeout: 180_000,
    })
    .toBeGreaterThan(0);

  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("y");
  await expect(page.getByRole("heading", { level: 1, name: "Analytics" })).toBeVisible();
  const charts = page.getByRole("img", { name: /in each hour$/ });
  await expect(charts).toHaveCount(3);
  await expect(page.getByLabel("Status")).toContainText("counted until");
  for (const { name, colorScheme, viewport } of VARIANTS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    for (const chart of await charts.all())
      await expect(chart.locator("svg.recharts-surface").first()).toBeVisible();
    await checkPage(page, `analytics-${name}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const summary of await page.getByText("Show as table").all()) await summary.click();
  await expect(page.getByRole("table", { name: "Records by outcome" }).getByRole("row")).toHaveCount(25);
  await expect(page.getByRole("table", { name: "Findings by code" })).toBeVisible();
  await checkPage(page, "analytics-tables");
  await page.setViewportSize({ width: 390, height: 844 });
  await checkPage(page, "analytics-tables-phone");
  await page.setViewportSize({ width: 1440, height: 900 });

  await page.getByRole("combobox", { name: "Window" }).selectOption({ label: "By day, UTC" });
  await expect(page).toHaveURL(/window=day/);
  await expect(page.getByRole("img", { name: "Records by outcome in each day" })).toBeVisible();
  await page.goto(`${system().url}/records/vessel/${vessel}`);
  await page.getByRole("link", { name: "View analytics" }).click();
  await expect(page.getByText("Not counted by vessel").first()).toBeVisible();
  await expect(page.getByRole("img", { name: "Time from approval to row in each day" })).toBeVisible();
  await checkPage(page, "analytics-vessel");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/analytics$/);

  await page.goto(`${system().url}/analytics?window=day&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`);
  await expect(page.getByText("Nothing happened in this time")).toBeVisible();
  await checkPage(page, "analytics-empty");
  await page.goto(`${system().url}/analytics?from=2020-01-01T00:00:00Z`);
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.getByText("From lies more than 750 windows before “to”")).toBeVisible();
  await checkPage(page, "analytics-error");
  ignoreFaults(faults, "422");
});
