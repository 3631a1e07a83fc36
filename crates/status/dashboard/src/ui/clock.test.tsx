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
