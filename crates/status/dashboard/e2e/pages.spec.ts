// Every page in both themes and on a phone: accessible, within its width, and a picture of it in test-results.

import { api, expect, look, signIn, test } from "./checked-page";
import { system } from "./system";

const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 860 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 860 } },
  { name: "phone", colorScheme: "light", viewport: { width: 360, height: 740 } },
] as const;

for (const { name, colorScheme, viewport } of LOOKS) {
  test.describe(name, () => {
    test.use({ colorScheme, viewport, contextOptions: { reducedMotion: "reduce" } });
    test("every page is accessible and fits", async ({ page }) => {
      await page.goto(`${system().url}/`);
      await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
      await look(page, `sign-in-${name}`);
      await signIn(page);
      await expect(page.getByRole("heading", { name: "In the maintenance portal" })).toBeVisible();
      await look(page, `overview-${name}`);
      await page.goto(`${system().url}/syncs`);
      await expect(page.getByRole("table", { name: "Syncs" })).toBeVisible();
      await look(page, `syncs-${name}`);
      const { data } = await api<{ data: { syncId: string; mode: string }[] }>(
        "/api/sync/history?state=completed_with_errors",
      );
      await page.goto(`${system().url}/syncs/${data.find((run) => run.mode === "full")?.syncId}`);
      await expect(page.getByRole("table", { name: "Findings" })).toBeVisible();
      await look(page, `sync-${name}`);
      await page.goto(`${system().url}/records`);
      await expect(page.getByRole("table", { name: "Findings" })).toBeVisible();
      await look(page, `records-${name}`);
      await page.goto(`${system().url}/dead-letters`);
      await expect(page.getByRole("table", { name: "Dead letters" })).toBeVisible();
      await look(page, `dead-letters-${name}`);
      await page.getByRole("table", { name: "Dead letters" }).getByRole("link").first().click();
      await expect(page.getByRole("heading", { name: "Headers" })).toBeVisible();
      await look(page, `dead-letter-${name}`);
      await page.goto(`${system().url}/settings`);
      await expect(page.locator(".schedule-preview li").first()).toBeVisible();
      await look(page, `settings-${name}`);
    });
  });
}
