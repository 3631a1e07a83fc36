import { checkPage, expect, ignoreFaults, signIn, test } from "./checked-page";
import { mint, system } from "./system";

const token = (ttl: string) => mint(system().jwtSecret, "anna", "admin", ttl);

test("a new tab and a shared link are signed in, and signing out ends all tabs", async ({
  page,
  context,
}) => {
  await signIn(page);
  const other = await context.newPage();
  await other.goto(`${system().url}/syncs?state=failed`);
  await expect(other.getByRole("heading", { level: 1, name: "Syncs" })).toBeVisible();
  await expect(other).toHaveURL(/state=failed/);
  expect(await page.evaluate(() => document.cookie + JSON.stringify(sessionStorage))).not.toContain("ey");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Operator token", { exact: true })).toBeVisible();
  await expect(other.getByLabel("Operator token", { exact: true })).toBeVisible();
  // The page's address stays: who signs in comes back to it.
  await other.getByLabel("Operator token", { exact: true }).fill(`OPERATOR_TOKEN=${system().viewer}`);
  await other.getByRole("button", { name: "Sign in" }).click();
  await expect(other.getByRole("heading", { level: 1, name: "Syncs" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByTitle("Role: viewer")).toBeVisible();
});

test("a token that ends covers the page, where a draft stays", async ({ page, faults }) => {
  await signIn(page, token("25s"));
  await page.goto(`${system().url}/settings`);
  await expect(page.getByText(/Your token ends at/)).toBeVisible();
  const field = page.getByLabel("Page size", { exact: true });
  await field.fill("123");
  await expect(page.getByText("Your token has expired")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("Read-only")).toBeHidden();
  await checkPage(page, "session-ended");
  await page.getByLabel("Operator token", { exact: true }).fill(token("1h"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Your token has expired")).toBeHidden();
  await expect(field).toHaveValue("123");
  await expect(page.getByText("live", { exact: true })).toBeVisible();
  ignoreFaults(faults, "401");
});

test("a token that ends soon is said to, and can be replaced at once or later", async ({ page }) => {
  await signIn(page, token("4m"));
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Not now" }).click();
  await expect(page.getByText(/Your token ends at/)).toBeVisible();
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByLabel("Operator token", { exact: true }).fill(token("1h"));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText(/Your token ends at/)).toBeHidden();
});
