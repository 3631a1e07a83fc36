import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchVisibility } from "./live";

let isVisible = true;
beforeEach(() => {
  vi.useFakeTimers();
  isVisible = true;
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => (isVisible ? "visible" : "hidden"));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function watch() {
  const calls: string[] = [];
  const stop = watchVisibility({
    onVisible: () => calls.push("follow"),
    onHidden: () => calls.push("leave"),
    hiddenDelay: () => 60_000,
  });
  return { calls, stop };
}

const becomes = (visible: boolean) => {
  isVisible = visible;
  document.dispatchEvent(new Event("visibilitychange"));
};

test("a tab that stays hidden leaves the stream, and follows it again when it is shown", () => {
  const { calls, stop } = watch();
  becomes(false);
  vi.advanceTimersByTime(60_000);
  becomes(true);
  expect(calls).toEqual(["follow", "leave", "follow"]);
  stop();
});

test("a tab that is hidden for a moment keeps following", () => {
  const { calls, stop } = watch();
  becomes(false);
  vi.advanceTimersByTime(30_000);
  becomes(true);
  vi.advanceTimersByTime(60_000);
  expect(calls).not.toContain("leave");
  stop();
});

test("a page that is left leaves the stream at once", () => {
  const { calls, stop } = watch();
  window.dispatchEvent(new Event("pagehide"));
  expect(calls).toEqual(["follow", "leave"]);
  stop();
});
