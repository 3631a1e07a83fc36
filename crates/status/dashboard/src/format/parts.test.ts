import { expect, test } from "vitest";
import type { Part } from "../api/types";
import { interval, leadTime, quantity, stockLabel } from "./parts";

const part = (values: Record<string, unknown>, status: Part["status"] = "active"): Part => ({
  kind: "critical_part",
  sourceId: "p-1",
  name: "Exhaust valve",
  equipmentId: "e-1",
  equipmentName: "601/1 Main engine",
  status,
  values: values as Part["values"],
});

test("a part is below its minimum by the ship's count, and a part that nobody counted is not", () => {
  expect(stockLabel(part({ stockOnBoard: 1, minimumStock: 2 })).word).toBe("Below minimum");
  expect(stockLabel(part({ stockOnBoard: 2, minimumStock: 2 })).tone).toBe("good");
  expect(stockLabel(part({ stockOnBoard: null, minimumStock: 2 })).word).toBe("Not counted");
  expect(stockLabel(part({ stockOnBoard: 0, minimumStock: 2 }, "withdrawn")).word).toBe("Withdrawn");
});

test("quantities have their unit, and what is not known is not zero", () => {
  expect(quantity(part({ stockOnBoard: 1200, unit: "pcs" }), "stockOnBoard")).toBe("1,200 pcs");
  expect(quantity(part({ unit: "pcs" }), "stockOnBoard")).toBeNull();
  expect(leadTime(part({ leadTimeDays: 1 }))).toBe("1 day");
  expect(leadTime(part({}))).toBeNull();
});

test("a job comes due by days, by running hours, or by both", () => {
  expect(interval(part({ everyDays: 90, toleranceDays: 10 }))).toBe("every 90 days, ± 10 days");
  expect(interval(part({ everyHours: 8000 }))).toBe("every 8,000 h");
  expect(interval(part({ everyDays: 365, everyHours: 4000 }))).toBe("every 365 days or 4,000 h");
});
