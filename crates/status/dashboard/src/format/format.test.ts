import { expect, test } from "vitest";
import { count, percent, plural, rate } from "./numbers";
import { look, SYNC_STATES } from "./states";
import { duration, exactMoment, moment, relative, tick } from "./times";

const NOW = Date.parse("2026-11-24T05:12:09Z");

test("figures carry thousands separators and their unit", () => {
  expect(count(6042)).toBe("6,042");
  expect(plural(1, "vessel")).toBe("1 vessel");
  expect(plural(41, "vessel")).toBe("41 vessels");
  expect(rate(48_120, 10_000)).toBe("4,812 rec/s");
  expect(rate(5, 100)).toBeNull();
});

test("a share never shows 100 % before the end and is not known without a whole", () => {
  expect(percent(999, 1000)).toBe(99);
  expect(percent(5, null)).toBeNull();
  expect(percent(0, 0)).toBe(100);
});

test("spans are rounded to what a person uses", () => {
  expect(duration(0)).toBe("under 1 ms");
  expect(duration(340)).toBe("340 ms");
  expect(duration(4280)).toBe("4.2 s");
  expect(duration(134_000)).toBe("2 min 14 s");
  expect(duration(3_900_000)).toBe("1 h 5 min");
});

test("moments are told from now, in either direction", () => {
  expect(relative("2026-11-24T05:09:00Z", NOW)).toBe("3 min ago");
  expect(relative("2026-11-24T07:12:09Z", NOW)).toBe("in 2 h");
  expect(relative("2026-11-24T05:12:09Z", NOW)).toBe("just now");
});

test("moments in UTC are the same wherever the browser is", () => {
  expect(moment("2026-11-24T04:05:06Z", "utc", NOW)).toBe("24 Nov 04:05:06");
  expect(exactMoment("2026-11-24T04:05:06Z", "utc")).toContain("UTC");
  expect(tick("2026-11-24T01:00:00Z", "Europe/Oslo")).toContain("02:00");
});

test("a state that is newer than the dashboard keeps its own word", () => {
  expect(look(SYNC_STATES, "completed").tone).toBe("good");
  expect(look(SYNC_STATES, "held_back")).toMatchObject({ tone: "neutral", word: "held back" });
});
