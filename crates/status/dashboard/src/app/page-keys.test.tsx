import { act, fireEvent, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderUi } from "../ui/test-render";
import { usePageKeys } from "./page-keys";

/** A shell whose callbacks are new each time it is drawn. */
function Shell() {
  usePageKeys({ onHelp: () => {}, onSearch: () => {} });
  return null;
}

const press = (key: string) => act(() => void fireEvent.keyDown(document.body, { key }));

test("g and a letter open a page, though the shell is drawn again in between", async () => {
  const { rerender, router } = await renderUi(<Shell />);
  press("g");
  rerender(<Shell />);
  press("s");
  await waitFor(() => expect(router.state.location.pathname).toBe("/syncs"));
});

test("a letter alone opens nothing", async () => {
  const { router } = await renderUi(<Shell />);
  press("s");
  await act(async () => {});
  expect(router.state.location.pathname).toBe("/");
});
