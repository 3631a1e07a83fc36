// The role mapping: who gains and loses what is seen before it is saved, and a change of another admin is not overwritten.
import { api, checkPage, ensureFullSync, expect, ignoreFaults, signIn, test } from "./checked-page";
import { system } from "./system";

interface RoleMapping {
  version: number;
  rules: { rank: string; workplace: string; department?: string; role: string }[];
}
const VARIANTS = [
  { name: "light", colorScheme: "light", viewport: { width: 1440, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1440, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
] as const;

test("an admin previews and saves another role mapping", async ({ page, faults }) => {
  test.setTimeout(420_000);
  await ensureFullSync();
  const before = await api<RoleMapping>("/api/sync/role-mapping");
  const put = (version: number, rules: RoleMapping["rules"]) =>
    api<{ version: number }>("/api/sync/role-mapping", {
      method: "PUT",
      headers: { "if-match": `"${version}"` },
      body: JSON.stringify({ rules }),
    });
  await signIn(page);
  await page.goto(`${system().url}/users`);
  await page.getByRole("link", { name: "Role mapping" }).click();
  await expect(page.getByRole("table", { name: "Rules" })).toBeVisible();
  await page.getByRole("button", { name: /^Edit rule \d+, Cook$/ }).click();
  await page.getByLabel("Role", { exact: true }).selectOption({ label: "Crew" });
  await checkPage(page, "role-mapping-rule");
  await page.keyboard.press("Enter");
  await expect(page.getByText("1 unsaved change")).toBeVisible();
  await page.getByRole("button", { name: "Preview effect" }).click();
  const effect = page.getByRole("table", { name: "Users who get another role" });
  await expect(effect.getByRole("row", { name: /Crew readonly → Crew/ }).first()).toContainText(
    "report work",
  );
  for (const { name, colorScheme, viewport } of VARIANTS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await checkPage(page, `role-mapping-${name}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Save role mapping" }).click();
  await expect(page.getByText("Role mapping saved")).toBeVisible();
  const saved = await api<RoleMapping>("/api/sync/role-mapping");
  expect(saved.rules.find(({ rank }) => rank === "cook")?.role).toBe("crew");

  await page.getByRole("button", { name: /^Edit rule \d+, Wiper$/ }).click();
  await page.getByLabel("Role", { exact: true }).selectOption({ label: "Crew" });
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Preview effect" }).click();
  await expect(page.getByRole("button", { name: "Save role mapping" })).toBeVisible();
  // Another admin saves first.
  await put(saved.version, before.rules);
  await page.getByRole("button", { name: "Save role mapping" }).click();
  await expect(page.getByText("changed the rules while you were editing")).toBeVisible();
  await page.getByRole("button", { name: "Show the new version" }).click();
  await expect(page.getByText("unsaved change")).toHaveCount(0);
  ignoreFaults(faults, "412");
});
