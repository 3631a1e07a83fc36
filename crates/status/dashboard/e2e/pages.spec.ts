// Every page in both themes and on a phone: accessible, within its width, and a picture of it in test-results.
import { join } from "node:path";
import { system } from "./system";
import { api, expect, expectAccessible, signIn, test } from "./watched";

const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 860 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 860 } },
  { name: "phone", colorScheme: "light", viewport: { width: 360, height: 740 } },
] as const;

for (const { name, colorScheme, viewport } of LOOKS) {
  test.describe(name, () => {
    test.use({ colorScheme, viewport, contextOptions: { reducedMotion: "reduce" } });
    test("every page is accessible and fits", async ({ page }, info) => {
      const look = async (what: string) => {
        await expectAccessible(page);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
        ).toBeLessThanOrEqual(0);
        await page.screenshot({
          path: join(info.project.outputDir, "pages", `${what}-${name}.png`),
          fullPage: true,
        });
      };
      await page.goto(`${system().url}/`);
      await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
      await look("sign-in");
      await signIn(page);
      await expect(page.getByRole("heading", { name: "In the maintenance portal" })).toBeVisible();
      await look("overview");
      await page.goto(`${system().url}/syncs`);
      await expect(page.getByRole("table", { name: "Syncs" })).toBeVisible();
      await look("syncs");
      const { data } = await api<{ data: { syncId: string; mode: string }[] }>("/api/sync/history");
      await page.goto(`${system().url}/syncs/${data.find((run) => run.mode === "full")?.syncId}`);
      await expect(page.getByRole("heading", { name: "The account" })).toBeVisible();
      await look("sync");
      await page.goto(`${system().url}/dead-letters`);
      await expect(page.getByRole("table", { name: "Dead letters" })).toBeVisible();
      await look("dead-letters");
      await page.getByRole("table", { name: "Dead letters" }).getByRole("link").first().click();
      await expect(page.getByRole("heading", { name: "Headers" })).toBeVisible();
      await look("dead-letter");
      await page.goto(`${system().url}/settings`);
      await expect(page.locator(".schedule-preview li").first()).toBeVisible();
      await look("settings");
    });
  });
}
