import { expect, test } from "vitest";
import { fieldLabel, fieldValue, orderedFields } from "./record-fields";

test("a field has one name, whichever way the service writes it", () => {
  expect(["lengthOverallM", "length_overall_m", "/lengthOverallM"].map(fieldLabel)).toEqual(
    Array(3).fill("Length overall"),
  );
  expect(fieldLabel("impellerDiameterMm")).toBe("Impeller diameter mm");
  expect(fieldLabel("/criticalParts/p-1/stock")).toBe("Critical parts, p-1, stock");
});

test("values have units and separators, names that are numbers have none", () => {
  expect(fieldValue("deadweight", 140285)).toBe("140,285 t");
  expect(fieldValue("draughtM", 16.3)).toBe("16.3 m");
  expect(fieldValue("buildYear", 2020)).toBe("2020");
  expect(fieldValue("vesselType", "bulk_carrier")).toBe("Bulk carrier");
  expect(fieldValue("isCritical", false)).toBe("no");
  // A number of more digits than JavaScript holds comes as text.
  expect(fieldValue("deadweight", "12345678901234567890")).toBe("12345678901234567890 t");
});

test("an absent value is neither zero nor empty text", () => {
  expect([null, undefined, ""].map((value) => fieldValue("runningHours", value))).toEqual([null, null, null]);
  expect(fieldValue("runningHours", 0)).toBe("0 h");
});

test("fields stand in the order in which people look for them", () => {
  expect(orderedFields({ zeta: 1, flag: 1, imoNumber: 1, name: 1 }).map(([name]) => name)).toEqual([
    "name",
    "imoNumber",
    "flag",
    "zeta",
  ]);
});
