// Schedules: added from a preset, paused and resumed, edited against a newer version, deleted.
import { api, checkPage, expect, expectAccessible, ignoreFaults, signIn, test } from "./checked-page";
import { system } from "./system";

const NAME = "e2e-changes";
const put = (name: string, definition: object, match?: string) =>
  api(`/api/sync/schedules/${name}`, {
    method: "PUT",
    body: JSON.stringify(definition),
    ...(match ? { headers: { "if-match": match } } : {}),
  });

test("a schedule is added from a preset, paused, resumed, edited and deleted", async ({ page, faults }) => {
  await signIn(page);
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  const table = page.getByRole("table", { name: "Schedules" });
  await expect(table.getByRole("row", { name: /full-sync/ })).toBeVisible();

  await page.getByRole("button", { name: "Add schedule" }).click();
  const form = page.getByRole("dialog", { name: "Add schedule" });
  await form.getByRole("button", { name: "Add schedule" }).click();
  await expect(form.getByText("Enter a name.")).toBeVisible();
  await form.getByLabel("Preset").selectOption({ label: "Every hour: what has changed" });
  await expect(form.getByLabel("Mode")).toHaveValue("incremental");
  await form.getByLabel("Name").fill("No Name");
  await form.getByRole("combobox", { name: "Time zone" }).fill("Oslo");
  await page.getByRole("option", { name: "Europe/Oslo" }).click();
  const preview = form.getByRole("status", { name: "Schedule preview" });
  const times = preview.getByRole("table", { name: "Next times" });
  await expect(times.getByRole("row")).toHaveCount(6);
  await expect(preview.getByRole("list", { name: "Changes of the clocks" })).toContainText("UTC+02:00");
  await form.getByRole("button", { name: "Add schedule" }).click();
  // The service says what a name may be, and its field is marked.
  await expect(form.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
  await form.getByLabel("Name").fill(NAME);
  await checkPage(page, "schedule-form");
  await form.getByRole("button", { name: "Add schedule" }).click();

  const drawer = page.getByRole("dialog", { name: NAME });
  await expect(drawer.getByText("On", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/open=e2e-changes/);
  await checkPage(page, "schedule");
  await drawer.getByRole("button", { name: "Pause" }).click();
  const dialog = page.getByRole("dialog", { name: `Pause ${NAME}?` });
  await dialog.getByRole("button", { name: "Pause schedule" }).click();
  await expect(dialog.getByText("Say why the schedule is paused.")).toBeVisible();
  await dialog.getByLabel("Reason").fill("The portal moves");
  await dialog.getByLabel("Until, UTC").fill("2020-01-01T00:00");
  await dialog.getByRole("button", { name: "Pause schedule" }).click();
  await expect(dialog.getByLabel("Until, UTC")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Until, UTC").fill("2099-01-01T00:00");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Pause schedule" }).click();
  await expect(drawer.getByText(/anna paused it .*The portal moves/)).toBeVisible();
  await drawer.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Resume schedule" }).click();
  await expect(drawer.getByText("On", { exact: true })).toBeVisible();

  await drawer.getByRole("button", { name: "Edit" }).click();
  const edit = page.getByRole("dialog", { name: `Edit ${NAME}` });
  await edit.getByLabel("Cron expression").fill("0 40 * * 1");
  await expect(
    edit.getByRole("status", { name: "Schedule preview" }).locator("[data-tone=bad]"),
  ).toBeVisible();
  // Closing asks first.
  await edit.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Keep editing" }).click();
  await edit.getByLabel("Cron expression").fill("30 * * * *");
  // Another admin was faster: the form says so, and overwrites nothing.
  await put(NAME, { cron: "15 * * * *", mode: "incremental" }, "*");
  await expect(edit.getByText(/changed this schedule while you were editing/)).toBeVisible();
  await edit.getByRole("button", { name: "Save schedule" }).click();
  await expect.poll(() => api(`/api/sync/schedules/${NAME}`)).toMatchObject({ cron: "15 * * * *" });
  await edit.getByRole("button", { name: "Show the new version" }).click();
  await expect(edit.getByLabel("Cron expression")).toHaveValue("15 * * * *");
  await edit.getByLabel("Cron expression").fill("45 * * * *");
  await edit.getByRole("button", { name: "Save schedule" }).click();
  await expect(drawer.getByText("45 * * * *")).toBeVisible();

  await drawer.getByRole("button", { name: "Delete" }).click();
  const confirm = page.getByRole("dialog", { name: `Delete ${NAME}?` });
  await expect(confirm.getByRole("button", { name: "Cancel" })).toBeFocused();
  await confirm.getByRole("button", { name: "Delete schedule" }).click();
  await expect(page.getByText("Schedule deleted")).toBeVisible();
  await expect(table.getByRole("row", { name: new RegExp(NAME) })).toHaveCount(0);
  ignoreFaults(faults, "422");
  ignoreFaults(faults, "412");
});

test("the schedule of the settings cannot be deleted, and a viewer changes none", async ({ page }) => {
  await signIn(page);
  await page.goto(`${system().url}/schedules?open=full-sync`);
  const drawer = page.getByRole("dialog", { name: "full-sync" });
  await expect(drawer.getByRole("button", { name: "Edit" })).toBeVisible();
  await expect(drawer.getByRole("button", { name: "Delete" })).toHaveCount(0);
  await drawer.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(page, system().viewer);
  await page.goto(`${system().url}/schedules?open=full-sync`);
  await expect(drawer.getByText("Cron expression")).toBeVisible();
  await expect(drawer.getByRole("button", { name: /Edit|Pause|Delete/ })).toHaveCount(0);
});
