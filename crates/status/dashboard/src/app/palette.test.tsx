import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { renderUi } from "../ui/test-render";
import { Palette } from "./palette";

const fetch = vi.fn<(request: Request) => Promise<Response>>();
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const hit = {
  id: "v-1",
  title: "Nordhavn Orion · IMO 9074729",
  matched: "name",
  link: "",
  standing: "rejected",
};
const result = {
  query: "orion",
  cutShort: false,
  groups: [{ kind: "vessel", hits: [hit], more: false, cutShort: false }],
};

test("a page is opened by a part of its name", async () => {
  const onClose = vi.fn();
  const { router } = await renderUi(<Palette onClose={onClose} />);
  await userEvent.keyboard("conf{Enter}");
  await waitFor(() => expect(router.state.location.pathname).toBe("/conflicts"));
  expect(onClose).toHaveBeenCalled();
});

test("a record is found, says that it is rejected, and is opened by Enter", async () => {
  fetch.mockImplementation(async () => Response.json(result));
  const { router } = await renderUi(<Palette onClose={() => {}} />);
  await userEvent.keyboard("orion");
  const option = await screen.findByRole("option", { name: /Nordhavn Orion/ });
  expect(option.textContent).toContain("Rejected");
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(router.state.location.pathname).toBe("/records/vessel/v-1"));
});

test("a viewer is not offered the audit log", async () => {
  await renderUi(<Palette onClose={() => {}} />);
  expect(screen.getByRole("option", { name: /Conflicts/ })).toBeDefined();
  expect(screen.queryByRole("option", { name: /Audit log/ })).toBeNull();
});

test("a saved view is found by its name and opened with its filters", async () => {
  const view = { name: "Failed nights", page: "/syncs", filter: { state: "failed" } };
  localStorage.setItem("sms-sync.saved-views", JSON.stringify([view]));
  onTestFinished(() => localStorage.clear());
  fetch.mockImplementation(async () => Response.json({ ...result, groups: [] }));
  const { router } = await renderUi(<Palette onClose={() => {}} />);
  await userEvent.keyboard("nights{Enter}");
  await waitFor(() => expect(router.state.location.pathname).toBe("/syncs"));
  expect(router.state.location.search).toEqual({ state: "failed" });
});
