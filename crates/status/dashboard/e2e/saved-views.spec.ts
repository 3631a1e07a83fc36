// Saved views: saved, listed on the page and in the search, opened, renamed, deleted; and what this browser keeps malformed.
import { checkPage, expect, signIn, test } from "./checked-page";
import { system } from "./system";

test("a filtered list is saved under a name, opened from the search, renamed and deleted", async ({
  page,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page);
  await page.goto(`${system().url}/syncs?mode=full&cause=manual&page=2`);
  await page.getByRole("button", { name: "Views" }).click();
  await checkPage(page, "views-menu");
  await page.getByRole("menuitem", { name: "Copy link to this view" }).click();
  await expect(page.getByText("Link copied")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Save this view" }).click();
  await page.getByLabel("Name").fill("Full by hand");
  await checkPage(page, "views-save");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Full by hand" })).toBeVisible();

  await page.goto(`${system().url}/`);
  // No key is heard before the page is there.
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("/");
  await expect(page.getByRole("dialog", { name: "Search" }).getByRole("combobox")).toBeFocused();
  await page.keyboard.type("full by");
  await expect(page.getByRole("option", { name: /^Full by hand/ })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/syncs\?(?=.*mode=full)(?=.*cause=manual)(?!.*page)/);

  for (const [name, colorScheme, width] of [
    ["light", "light", 1440],
    ["dark", "dark", 1440],
    ["phone", "light", 390],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 844 });
    await page.getByRole("button", { name: "Full by hand" }).click();
    await checkPage(page, `views-${name}`);
    await page.getByRole("menuitem", { name: "Manage saved views" }).click();
    await expect(page.getByRole("dialog", { name: "Saved views" })).toBeVisible();
    await checkPage(page, `views-dialog-${name}`);
    await page.getByRole("button", { name: "Close" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  await page.getByRole("button", { name: "Full by hand" }).click();
  await page.getByRole("menuitem", { name: "Manage saved views" }).click();
  await page.getByRole("button", { name: "Rename Full by hand" }).click();
  await page.getByLabel("New name of Full by hand").fill("By hand");
  await checkPage(page, "views-rename-phone");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Delete By hand" }).click();
  await checkPage(page, "views-delete-phone");
  await page.getByRole("button", { name: "Delete “By hand”" }).click();
  await expect(page.getByText("No saved views in this browser.")).toBeVisible();
});

test("malformed views break no page", async ({ page }) => {
  await signIn(page);
  await page.evaluate(() =>
    localStorage.setItem(
      "sms-sync.saved-views",
      JSON.stringify([
        null,
        { name: "Odd", page: "/syncs", filter: { state: "no such state", from: "never", limit: 1e9 } },
        { name: "Elsewhere", page: "https://example.org/", filter: { q: "x" } },
      ]),
    ),
  );
  await page.goto(`${system().url}/syncs`);
  await page.getByRole("button", { name: "Views" }).click();
  await expect(page.getByRole("menuitem", { name: "Elsewhere" })).toHaveCount(0);
  await page.getByRole("menuitem", { name: "Odd" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Syncs" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Clear filters" })).toHaveCount(0);
});
