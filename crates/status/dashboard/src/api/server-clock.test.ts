import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clockOffset, learnServerTime, serverNow } from "./server-clock";

const NOON = Date.parse("2026-11-24T12:00:00Z");
beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
});
afterEach(() => {
  learnServerTime(new Date(Date.now()).toUTCString(), Date.now(), Date.now());
  vi.useRealTimers();
});

test("a browser clock that is two hours behind is corrected", () => {
  learnServerTime("Tue, 24 Nov 2026 14:00:00 GMT", NOON - 100, NOON);
  expect(Math.abs(serverNow() - Date.parse("2026-11-24T14:00:00Z"))).toBeLessThan(1000);
});

test("the resolution of the header is no difference", () => {
  learnServerTime("Tue, 24 Nov 2026 11:59:59 GMT", NOON - 100, NOON);
  expect(clockOffset()).toBe(0);
});

test("a response without a date, or a slow one, changes nothing", () => {
  learnServerTime(null, NOON, NOON);
  learnServerTime("Tue, 24 Nov 2026 14:00:00 GMT", NOON - 60_000, NOON);
  expect(clockOffset()).toBe(0);
});
