// A browser page that minds its manners: what it says to the console, and what the Content-Security-Policy stopped,
// fails the test.

import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { system } from "./system";

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

/** Lets those faults pass that the test asked for: Chromium itself logs them. */
export function forgive(faults: string[], asked: string): void {
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes(asked)));
}

export async function signIn(page: Page, token = system().admin, url = system().url): Promise<void> {
  await page.goto(`${url}/`);
  await page.getByLabel("Operator token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("live", { exact: true })).toBeVisible();
}

export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target.join(" ")).join(", ")}`),
  ).toEqual([]);
}

/** The page is accessible and within its width, and its picture is in test-results/pages. */
export async function look(page: Page, name: string): Promise<void> {
  await expectAccessible(page);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(over, "wider than the window").toBeLessThanOrEqual(0);
  const path = join(base.info().project.outputDir, "pages", `${name}.png`);
  await page.screenshot({ path, fullPage: true });
}

/** Asks the operator API as the dashboard does. */
export async function api<T>(path: string, init: RequestInit = {}): Promise<T> {
  const answer = await fetch(`${system().url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${system().admin}`, "content-type": "application/json" },
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Asks the onboarding portal as its own people do. */
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
