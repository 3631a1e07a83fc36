import { act, renderHook } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { useNow } from "./clock";

test("all components share one timer, which stops with the last of them", () => {
  vi.useFakeTimers();
  const first = renderHook(useNow);
  const second = renderHook(useNow);
  expect(vi.getTimerCount()).toBe(1);
  const before = first.result.current;
  act(() => vi.advanceTimersByTime(1000));
  expect(first.result.current).toBeGreaterThan(before);
  expect(second.result.current).toBe(first.result.current);
  first.unmount();
  second.unmount();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test("a page opened after the clock stood still shows the current time from its first render", () => {
  vi.useFakeTimers();
  renderHook(useNow).unmount();
  vi.advanceTimersByTime(7 * 60_000);
  const rendered: number[] = [];
  const { unmount } = renderHook(() => rendered.push(useNow()));
  expect(Date.now() - (rendered[0] ?? 0)).toBeLessThan(1000);
  unmount();
  vi.useRealTimers();
});

test("a tab that is shown again shows the current time at once", () => {
  vi.useFakeTimers();
  const clock = renderHook(useNow);
  // A hidden tab whose timer the browser has stopped.
  vi.setSystemTime(Date.now() + 10 * 60_000);
  act(() => document.dispatchEvent(new Event("visibilitychange")));
  expect(Date.now() - clock.result.current).toBeLessThan(1000);
  clock.unmount();
  vi.useRealTimers();
});
