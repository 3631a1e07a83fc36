import { act, fireEvent, render } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { usePageKeys } from "./page-keys";

const navigate = vi.fn();
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => navigate }));

afterEach(() => navigate.mockClear());

/** A shell whose callbacks are new each time it is drawn. */
function Shell() {
  usePageKeys({ onHelp: () => {}, onSearch: () => {} });
  return null;
}

test("g and a letter open a page, though the shell is drawn again in between", () => {
  const { rerender } = render(<Shell />);
  act(() => void fireEvent.keyDown(document.body, { key: "g" }));
  rerender(<Shell />);
  act(() => void fireEvent.keyDown(document.body, { key: "s" }));
  expect(navigate).toHaveBeenCalledWith({ to: "/syncs" });
});

test("a letter alone opens nothing", () => {
  render(<Shell />);
  act(() => void fireEvent.keyDown(document.body, { key: "s" }));
  expect(navigate).not.toHaveBeenCalled();
});
