import { expect, test } from "vitest";
import {
  formatDateTime,
  formatDuration,
  formatEstimate,
  formatExactDateTime,
  formatRelative,
  formatScheduledTime,
  formatWindow,
  fromInputTime,
  toInputTime,
} from "./times";

const NOW = Date.parse("2026-11-24T05:12:09Z");

test("durations are rounded to two units", () => {
  expect(formatDuration(0)).toBe("under 1 ms");
  expect(formatDuration(340)).toBe("340 ms");
  expect(formatDuration(4280)).toBe("4.2 s");
  expect(formatDuration(134_000)).toBe("2 min 14 s");
  expect(formatDuration(3_900_000)).toBe("1 h 5 min");
});

test("relative times work in both directions", () => {
  expect(formatRelative("2026-11-24T05:09:00Z", NOW)).toBe("3 min ago");
  expect(formatRelative("2026-11-24T07:12:09Z", NOW)).toBe("in 2 h");
  expect(formatRelative("2026-11-24T05:12:09Z", NOW)).toBe("just now");
});

test("UTC times do not depend on the browser's time zone", () => {
  expect(formatDateTime("2026-11-24T04:05:06Z", "utc", NOW)).toBe("24 Nov 04:05:06");
  expect(formatExactDateTime("2026-11-24T04:05:06Z", "utc")).toContain("UTC");
  expect(
    formatScheduledTime("2026-11-24T01:00:00Z", "Europe/Oslo", Date.parse("2026-11-24T05:00:00Z")),
  ).toContain("02:00");
});

test("times of a field are in the zone that is shown, and come back as they were", () => {
  expect(toInputTime("2026-11-24T05:12:00.000Z", "utc")).toBe("2026-11-24T05:12");
  expect(fromInputTime("2026-11-24T05:12", "utc")).toBe("2026-11-24T05:12:00.000Z");
  const iso = "2026-11-24T05:12:00.000Z";
  expect(fromInputTime(toInputTime(iso, "local"), "local")).toBe(iso);
  expect(fromInputTime("", "utc")).toBeUndefined();
  expect(toInputTime("nonsense", "utc")).toBe("");
});

test("an estimate is rounded to what it can say", () => {
  expect([0, 12_000, 54_000, 70_000, 3_600_000, 7_300_000].map(formatEstimate)).toEqual([
    "about 5 s",
    "about 15 s",
    "about 55 s",
    "about 2 min",
    "about 60 min",
    "about 2 h",
  ]);
});

test("a window is named by its day, or by its hour in the zone; by its year only if that is not the current one", () => {
  expect(formatWindow("2026-11-24T04:00:00Z", "hour", "utc", NOW)).toBe("24 Nov 04:00");
  expect(formatWindow("2026-11-24T00:00:00Z", "day", "local", NOW)).toBe("24 Nov");
  expect(formatWindow("2025-11-24T00:00:00Z", "day", "utc", NOW)).toBe("24 Nov 2025");
});
