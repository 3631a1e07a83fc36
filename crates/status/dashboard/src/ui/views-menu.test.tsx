import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { VIEWS_LIMIT } from "../format/saved-views";
import { renderUi } from "./test-render";
import { ViewsMenu } from "./views-menu";

const KEY = "sms-sync.saved-views";
const stored = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");
const store = (views: unknown) => localStorage.setItem(KEY, JSON.stringify(views));
const failed = { name: "Failed", page: "/syncs", filter: { state: "failed" } };

beforeEach(() => localStorage.clear());
afterEach(() => localStorage.clear());

const show = (url = "/syncs?state=failed&page=2") => renderUi(<ViewsMenu page="/syncs" />, { url });
const openMenu = async (name = "Views") => {
  await userEvent.click(screen.getByRole("button", { name }));
  return screen.findByRole("menu");
};
const choose = async (item: string | RegExp) =>
  userEvent.click(await screen.findByRole("menuitem", { name: item }));

test("the filters of a list are saved under a name, without the number of its page", async () => {
  await show();
  await openMenu();
  await choose("Save this view");
  await userEvent.type(await screen.findByLabelText("Name"), " Failed {Enter}");
  await waitFor(() => expect(stored()).toEqual([failed]));
  expect(screen.getByRole("button", { name: "Failed" })).toBeDefined();
});

test("a view is opened with its filters, and only views of the page are listed", async () => {
  store([failed, { name: "Refused", page: "/webhooks", filter: { view: "refused" } }]);
  const { router } = await show("/syncs?zone=local");
  await openMenu();
  expect(screen.queryByRole("menuitem", { name: "Refused" })).toBeNull();
  await choose("Failed");
  await waitFor(() => expect(router.state.location.search).toEqual({ state: "failed", zone: "local" }));
});

test("a list without filters has nothing to save, and says how to have", async () => {
  await show("/syncs");
  await openMenu();
  expect(screen.getByText(/^Set filters/)).toBeDefined();
  expect(screen.queryByRole("menuitem", { name: "Save this view" })).toBeNull();
});

test("a name that the page has already is refused", async () => {
  store([failed]);
  await show("/syncs?state=completed");
  await openMenu();
  await choose("Save this view");
  await userEvent.type(await screen.findByLabelText("Name"), "Failed{Enter}");
  expect(await screen.findByText(/has a view of this name/)).toBeDefined();
  expect(stored()).toEqual([failed]);
});

test("more views than the browser keeps are refused", async () => {
  store(Array.from({ length: VIEWS_LIMIT }, (_, at) => ({ ...failed, name: `Failed ${at}` })));
  await show("/syncs?state=completed");
  await openMenu();
  await choose("Save this view");
  await userEvent.type(await screen.findByLabelText("Name"), "Completed{Enter}");
  expect(await screen.findByText(/at most 50 views/)).toBeDefined();
  expect(stored()).toHaveLength(VIEWS_LIMIT);
});

test("views are renamed and deleted, and a deletion is asked for", async () => {
  store([failed, { ...failed, name: "Other", filter: { state: "cancelled" } }]);
  await show();
  await openMenu("Failed");
  await choose("Manage saved views");
  const dialog = within(await screen.findByRole("dialog", { name: "Saved views" }));
  await userEvent.click(dialog.getByRole("button", { name: "Rename Failed" }));
  const field = dialog.getByRole("textbox", { name: "New name of Failed" });
  await userEvent.clear(field);
  await userEvent.type(field, "Other{Enter}");
  expect(await dialog.findByText(/has a view of this name/)).toBeDefined();
  await userEvent.type(field, " ones{Enter}");
  await waitFor(() => expect(stored()[0].name).toBe("Other ones"));
  await userEvent.click(dialog.getByRole("button", { name: "Delete Other" }));
  expect(stored()).toHaveLength(2);
  await userEvent.click(dialog.getByRole("button", { name: "Delete “Other”" }));
  await waitFor(() => expect(stored()).toHaveLength(1));
});

test.each(["{", '"text"', '[null,{"name":{}},7]'])("the stored text %s breaks nothing", async (text) => {
  localStorage.setItem(KEY, text);
  await show();
  await openMenu();
  await choose("Save this view");
  await userEvent.type(await screen.findByLabelText("Name"), "Failed{Enter}");
  await waitFor(() => expect(stored()).toEqual([failed]));
});

test("a browser that keeps nothing says so", async () => {
  const blocked = () => {
    throw new DOMException("blocked", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: blocked, setItem: blocked, clear: () => {} });
  onTestFinished(() => void vi.unstubAllGlobals());
  await show();
  await openMenu();
  await choose("Save this view");
  await userEvent.type(await screen.findByLabelText("Name"), "Failed{Enter}");
  expect(await screen.findByText(/keeps no data of this site/)).toBeDefined();
});

test("the link that is copied has the filters", async () => {
  const user = userEvent.setup();
  const copied = vi.spyOn(navigator.clipboard, "writeText");
  await show();
  await user.click(screen.getByRole("button", { name: "Views" }));
  await user.click(await screen.findByRole("menuitem", { name: "Copy link to this view" }));
  await waitFor(() => expect(copied).toHaveBeenCalledWith(location.href));
});
