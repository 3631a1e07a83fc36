import { act, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { renderUi } from "./test-render";
import { WhenSeen } from "./when-seen";

afterEach(() => void vi.unstubAllGlobals());

test("content is rendered once it comes into view, and stays", async () => {
  let report: (isIntersecting: boolean) => void = () => {};
  const disconnect = vi.fn();
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
        report = (isIntersecting) => callback([{ isIntersecting }]);
      }
      observe() {}
      disconnect = disconnect;
    },
  );
  await renderUi(<WhenSeen className="place">Chart</WhenSeen>);
  expect(screen.queryByText("Chart")).toBeNull();
  act(() => report(false));
  expect(screen.queryByText("Chart")).toBeNull();
  act(() => report(true));
  expect(screen.getByText("Chart")).toBeDefined();
});
