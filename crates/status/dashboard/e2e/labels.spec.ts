// QR labels: of a piece of equipment, and the sheets of a vessel.
import { api, checkPage, ensureFullSync, expect, signIn, test } from "./checked-page";
import { system } from "./system";

type Found = { data: { sourceId: string }[] };

test("labels open from the pages of equipment and of a vessel", async ({ page, context }) => {
  test.setTimeout(420_000);
  await ensureFullSync();
  const active = (type: string) => api<Found>(`/api/sync/records/${type}?limit=1&status=active`);
  const equipment = (await active("equipment")).data[0]?.sourceId;
  const vessel = (await active("vessel")).data[0]?.sourceId;
  await signIn(page);
  /** The response to a link that opens a new tab. */
  const open = async (name: RegExp) => {
    const opened = context.waitForEvent("response", (response) => response.request().isNavigationRequest());
    await page.getByRole("link", { name }).click();
    const response = await opened;
    return { status: response.status(), type: response.headers()["content-type"], url: response.url() };
  };

  await page.goto(`${system().url}/records/equipment/${equipment}`);
  await expect(page.getByRole("heading", { name: "QR label" })).toBeVisible();
  await checkPage(page, "equipment-label");
  expect(await open(/^View label/)).toMatchObject({ status: 200, type: "image/svg+xml" });
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: /^Download label/ }).click();
  expect((await download).suggestedFilename()).toMatch(/\.png$/);

  await page.goto(`${system().url}/records/vessel/${vessel}`);
  await page.getByLabel("Labels already used on the first sheet").fill("3");
  await checkPage(page, "vessel-labels");
  const sheets = await open(/^Print label sheets/);
  expect(sheets).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
  expect(sheets.url).toMatch(/\?used=3$/);
});
