// A token for a part of the fleet: its own first page, what is open to it, and what is not.
import { api, checkPage, ensureFullSync, expect, signInForVessel, test } from "./checked-page";
import { system } from "./system";

test("a token for one vessel sees the vessel, and is told which pages are closed to it", async ({ page }) => {
  test.setTimeout(420_000);
  await ensureFullSync();
  const { data } = await api<{ data: { sourceId: string; name: string }[] }>(
    "/api/sync/records/vessel?status=active&limit=1",
  );
  const [vessel] = data;
  const imo = /IMO (\d{7})/.exec(vessel?.name ?? "")?.[1];
  if (!vessel || !imo) throw new Error("the fleet has no vessel");
  // Whatever the service refuses or does not find is an error on the console, which fails the test.
  await signInForVessel(page, imo);
  const vessels = page.getByRole("table", { name: "Your vessels" });
  await expect(vessels.getByRole("link")).toHaveCount(1);
  await expect(page.getByText(`Your token is for vessel ${imo}`)).toBeVisible();
  const pages = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
  await expect(pages).toHaveText(["Overview", "Records", "Analytics", "About"]);
  await expect(page.getByText(/^(live|connecting|disconnected)$/)).toHaveCount(0);
  await checkPage(page, "fleet-part");

  await vessels.getByRole("link").click();
  await expect(page.getByRole("list", { name: "Timeline" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Equipment" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Maintenance schedules" })).toBeVisible();
  await expect(page.getByRole("link", { name: /^View (sync|webhook|conflicts?|dead letter)$/ })).toHaveCount(
    0,
  );
  await checkPage(page, "fleet-part-vessel");
  await page.getByRole("button", { name: "Sync this vessel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start sync" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Selective sync" })).toBeVisible();
  await expect(page.getByLabel("Status").getByText(/^Completed/)).toBeVisible();
  await checkPage(page, "fleet-part-sync");
  await page.getByRole("link", { name: /IMO/ }).click();
  await page.getByRole("link", { name: "View analytics" }).click();
  await expect(page.getByRole("combobox", { name: "Vessel" })).toHaveValue(vessel.sourceId);
  await expect(page.getByLabel("Status")).toBeVisible();

  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await expect(page.getByRole("table", { name: "Vessels" }).locator("[data-row-link]")).toHaveCount(1);
  await page.goto(`${system().url}/syncs`);
  await expect(page.getByText("This page is about the whole fleet")).toBeVisible();
  await checkPage(page, "closed-page");
  await page.getByRole("link", { name: "your vessels" }).click();
  await expect(vessels).toBeVisible();
});
