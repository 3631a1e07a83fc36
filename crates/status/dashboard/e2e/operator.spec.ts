import { management, system } from "./system";
import { api, expect, signIn, test } from "./watched";

test("a token that is not good is refused with a reason, beside the field", async ({ page, faults }) => {
  await page.goto(`${system().url}/`);
  await page.getByLabel("Operator token", { exact: true }).fill("nonsense");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("This token is not accepted")).toBeVisible();
  // Chromium itself logs the 401 that was asked for.
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("401")));
});

test("an operator starts a full sync, watches it to its end, and its account sums up", async ({ page }) => {
  await signIn(page);
  await page.getByRole("button", { name: "Start full sync" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start full sync" }).click();
  await expect(page).toHaveURL(/\/syncs\/[0-9a-f-]{36}/);
  await expect(page.getByLabel("Verdict").getByText(/^Completed/)).toBeVisible({ timeout: 90_000 });

  const account = page.getByRole("table", { name: "Account of the records" });
  await expect(account.getByRole("row", { name: /^All records/ })).toBeVisible();
  await expect(page.getByText(/^read [\d,]+ = .*as many as the onboarding portal announced$/)).toBeVisible();
  // The demo fleet has bad records; each names its field.
  await expect(page.getByRole("table", { name: "Findings" }).getByText(/^\//).first()).toBeVisible();

  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Syncs" }).click();
  await page.getByRole("table", { name: "Syncs" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Full sync" })).toBeVisible();
});

test("an admin changes the schedule, sees its next times while typing, and it is kept", async ({ page }) => {
  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  const cron = page.getByLabel("Cron expression");
  await cron.fill("0 4 * *");
  await expect(page.locator(".schedule-preview [data-tone=bad]")).toBeVisible();
  await cron.fill("30 4 * * 1");
  await expect(page.locator(".schedule-preview li")).toHaveCount(5);
  await expect(page.locator(".schedule-preview li").first()).toContainText("Mon");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("Settings saved")).toBeVisible();
  expect(await api("/api/sync/settings")).toMatchObject({ scheduleCron: "30 4 * * 1" });
});

test("the server's pointer marks the field that is wrong", async ({ page, faults }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByLabel("Page size").fill("5000");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByLabel("Page size")).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("button", { name: "Discard" }).click();
  // Chromium itself logs the 422 that was asked for.
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("422")));
});

test("the connection test goes the whole way", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/settings`);
  await page.getByRole("button", { name: "Test the connection" }).click();
  await expect(page.getByText("The portal answers")).toBeVisible();
});

test("a dead letter shows up by itself, is opened, and is replayed after saying how many", async ({
  page,
}) => {
  await signIn(page);
  await page.goto(`${system().url}/dead-letters`);
  await expect(page.getByText("None waits")).toBeVisible();
  const { amqpApi, vhost } = system();
  await management(amqpApi, "POST", `/api/exchanges/${vhost}/sms.sync/publish`, {
    routing_key: "sync.tasks",
    payload: "this is no task",
    payload_encoding: "string",
    properties: { message_id: "e2e-garbage", delivery_mode: 2, type: "sms.sync.v1.SyncTask" },
  });
  await expect(page.getByText("1 dead letter waits")).toBeVisible();
  await page.getByRole("table", { name: "Dead letters" }).getByRole("link").first().click();
  const drawer = page.getByRole("dialog", { name: "Dead letter" });
  await expect(drawer.getByText("this is no task")).toBeVisible();
  await expect(page).toHaveURL(/open=/);
  await drawer.getByRole("button", { name: "Replay this one" }).click();
  await page
    .getByRole("dialog", { name: "Replay 1 dead letter?" })
    .getByRole("button", { name: "Replay 1 dead letter" })
    .click();
  await expect(page.getByText("1 dead letter on the way")).toBeVisible();
  const letters = () => api<{ data: { replays: number }[] }>("/api/sync/dead-letters");
  await expect.poll(async () => (await letters()).data.some((letter) => letter.replays > 0)).toBe(true);
});

test("a viewer is offered nothing that a viewer may not do", async ({ page }) => {
  await signIn(page, system().viewer);
  await expect(page.getByRole("button", { name: "Start full sync" })).toHaveCount(0);
  await page.goto(`${system().url}/settings`);
  await expect(page.getByText("Settings are changed by an admin")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save settings" })).toHaveCount(0);
});
