// Every page in both themes and on a phone: accessible and no wider than the window, with a screenshot in test-results.

import { api, checkPage, expect, signIn, test } from "./checked-page";
import { system } from "./system";

const VARIANTS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 860 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 860 } },
  { name: "phone", colorScheme: "light", viewport: { width: 360, height: 740 } },
] as const;

for (const { name, colorScheme, viewport } of VARIANTS) {
  test.describe(name, () => {
    test.use({ colorScheme, viewport, contextOptions: { reducedMotion: "reduce" } });
    test("every page is accessible and fits", async ({ page }) => {
      await page.goto(`${system().url}/`);
      await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
      await checkPage(page, `sign-in-${name}`);
      await signIn(page);
      await expect(page.getByRole("heading", { name: "Records in the maintenance portal" })).toBeVisible();
      await checkPage(page, `overview-${name}`);
      await page.goto(`${system().url}/syncs`);
      await expect(page.getByRole("table", { name: "Syncs" })).toBeVisible();
      await checkPage(page, `syncs-${name}`);
      const { data } = await api<{ data: { syncId: string; mode: string }[] }>(
        "/api/sync/history?state=completed_with_errors",
      );
      await page.goto(`${system().url}/syncs/${data.find((sync) => sync.mode === "full")?.syncId}`);
      await expect(page.getByRole("table", { name: "Findings" })).toBeVisible();
      await checkPage(page, `sync-${name}`);
      await page.goto(`${system().url}/data-quality`);
      await expect(page.getByRole("table", { name: "Findings" })).toBeVisible();
      await checkPage(page, `data-quality-${name}`);
      await page.goto(`${system().url}/dead-letters`);
      await expect(page.getByRole("table", { name: "Dead letters" })).toBeVisible();
      await checkPage(page, `dead-letters-${name}`);
      await page.getByRole("table", { name: "Dead letters" }).getByRole("link").first().click();
      await expect(page.getByRole("heading", { name: "Headers" })).toBeVisible();
      await checkPage(page, `dead-letter-${name}`);
      for (const [path, heading] of [
        ["webhooks", "Webhooks"],
        ["conflicts", "Conflicts"],
        ["users", "Users"],
        ["schedules", "Schedules"],
        ["audit", "Audit log"],
      ] as const) {
        await page.goto(`${system().url}/${path}`);
        await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
        await expect(page.getByRole("table", { name: heading })).toBeVisible();
        await checkPage(page, `${path}-${name}`);
      }
      const vessels = await api<{ data: { sourceId: string }[] }>("/api/sync/records/vessel?limit=1");
      await page.goto(`${system().url}/records`);
      await expect(page.getByRole("table", { name: "Vessels" })).toBeVisible();
      await checkPage(page, `records-${name}`);
      await page.goto(`${system().url}/records/vessel/${vessels.data[0]?.sourceId}`);
      await expect(page.getByRole("list", { name: "Timeline" })).toBeVisible();
      await expect(page.getByRole("table", { name: "Equipment" })).toBeVisible();
      await checkPage(page, `vessel-${name}`);
      await page.goto(`${system().url}/search?q=nordhavn`);
      await expect(page.getByRole("heading", { name: "Vessels" })).toBeVisible();
      await checkPage(page, `search-${name}`);
      await page.goto(`${system().url}/doctor`);
      await expect(page.getByRole("heading", { name: "Why is a record missing?" })).toBeVisible();
      await checkPage(page, `doctor-${name}`);
      if (name === "phone") {
        await page.getByRole("button", { name: "More" }).click();
        await expect(page.getByRole("dialog", { name: "More pages" })).toBeVisible();
        await checkPage(page, "more-pages");
        await page.getByRole("dialog").getByRole("link", { name: "Settings" }).click();
      }
      await page.goto(`${system().url}/settings`);
      await expect(page.getByLabel("Page size")).toBeVisible();
      await checkPage(page, `settings-${name}`);
      await page.goto(`${system().url}/about`);
      await expect(page.getByText("This page is up to date")).toBeVisible();
      await expect(page.getByText("sms-sync", { exact: false }).first()).toBeVisible();
      await checkPage(page, `about-${name}`);
    });
  });
}
