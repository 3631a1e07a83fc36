import { expect, test } from "vitest";
import { formatCount, formatRate, formatShare, percentOf, plural, pluralTotal } from "./numbers";

test("numbers have thousands separators and their unit", () => {
  expect(formatCount(6042)).toBe("6,042");
  expect(plural(1, "vessel")).toBe("1 vessel");
  expect(plural(41, "vessel")).toBe("41 vessels");
  expect(pluralTotal({ total: 41 }, "sync")).toBe("41 syncs");
  expect(pluralTotal({ total: 10_000, totalIsExact: false }, "sync")).toBe("more than 10,000 syncs");
  expect(formatRate(48_120, 10_000)).toBe("4,812 rec/s");
  expect(formatRate(5, 100)).toBeNull();
});

test("a percentage is 100 only when complete, and null without a total", () => {
  expect(percentOf(999, 1000)).toBe(99);
  expect(percentOf(5, null)).toBeNull();
  expect(percentOf(0, 0)).toBe(100);
});

test("a share is 100 % only of all, and 0 % only of none", () => {
  expect(formatShare(1)).toBe("100 %");
  expect(formatShare(0.9999)).toBe("99.9 %");
  expect(formatShare(0.29)).toBe("29 %");
  expect(formatShare(0.0004)).toBe("under 0.1 %");
  expect(formatShare(0)).toBe("0 %");
});
