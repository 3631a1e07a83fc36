// A test fixture: console errors and warnings and violations of the Content-Security-Policy fail the test.

import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { mint, system } from "./system";

export const test = base.extend<{ faults: string[] }>({
  faults: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
      });
      page.on("pageerror", (error) => faults.push(error.message));
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) => {
          console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`);
        });
      });
      await use(faults);
      expect(faults, "console errors, warnings and policy violations").toEqual([]);
    },
    { auto: true },
  ],
});

/** Ignores faults that the test causes on purpose: Chromium itself logs them to the console. */
export function ignoreFaults(faults: string[], expected: string): void {
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes(expected)));
}

export async function signIn(page: Page, token = system().admin, url = system().url): Promise<void> {
  await enterToken(page, token, url);
  await expect(page.getByText("live", { exact: true })).toBeVisible();
}

async function enterToken(page: Page, token: string, url: string): Promise<void> {
  await page.goto(`${url}/`);
  await page.getByLabel("Operator token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
}

/** Signs in with a token for one vessel, which no updates come with. */
export async function signInForVessel(page: Page, imoNumber: string): Promise<void> {
  const token = mint(system().jwtSecret, "superintendent", "operator", "1h", [imoNumber]);
  await enterToken(page, token, system().url);
}

export async function expectAccessible(page: Page): Promise<void> {
  // A row that slides in has another contrast until it stands. Spinners have no end.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((it) => it.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
        .map((it) => it.finished),
    ),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target.join(" ")).join(", ")}`),
  ).toEqual([]);
}

/** Checks that the page is accessible and no wider than the window, and takes a screenshot to test-results/pages. */
export async function checkPage(page: Page, name: string): Promise<void> {
  await expectAccessible(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, "wider than the window").toBeLessThanOrEqual(0);
  const path = join(base.info().project.outputDir, "pages", `${name}.png`);
  await page.screenshot({ path, fullPage: true });
}

/** A request to the operator API. */
export async function api<T>(path: string, init: RequestInit = {}): Promise<T> {
  const answer = await fetch(`${system().url}${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${system().admin}`,
      "content-type": "application/json",
      // A test's own change of the settings applies to any version.
      ...(init.method === "POST" && path === "/api/sync/settings" ? { "if-match": "*" } : {}),
      ...init.headers,
    },
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

interface SyncStatus {
  running: unknown[];
  lastFullSync: { syncId: string } | null;
}
const syncStatus = () => api<SyncStatus>("/api/sync/status");

/** Starts a full sync and waits for its end. Returns its id. */
export async function runFullSync(): Promise<string> {
  const { syncId } = await api<{ syncId: string }>("/api/sync/trigger", {
    method: "POST",
    body: JSON.stringify({ mode: "full" }),
  });
  await expect.poll(async () => (await syncStatus()).lastFullSync?.syncId, { timeout: 360_000 }).toBe(syncId);
  return syncId;
}

/** Makes sure that a full sync has ended, for tests that run alone. */
export async function ensureFullSync(): Promise<void> {
  if (!(await syncStatus()).lastFullSync) await runFullSync();
}

/** A request to the onboarding portal's own API. */
export async function portal<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${system().portal}${path}`, {
    method,
    headers: { "x-api-key": system().portalKey, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return (text ? JSON.parse(text) : null) as T;
}

export { expect };
