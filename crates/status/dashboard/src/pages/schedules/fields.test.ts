import { expect, test } from "vitest";
import { changedFields, definitionFrom, fieldsOf, NEW_SCHEDULE } from "./fields";

const orion = fieldsOf("orion", {
  cron: "0 6 * * 1-5",
  mode: "selective",
  timeZone: "Europe/Oslo",
  vesselImos: ["9074729"],
  companyId: "c-1",
});

test("a definition comes back from its fields as it was", () => {
  expect(definitionFrom(orion)).toEqual({
    cron: "0 6 * * 1-5",
    mode: "selective",
    timeZone: "Europe/Oslo",
    enabled: true,
    overlap: "skip",
    recordTypes: [],
    vesselImos: ["9074729"],
    companyId: "c-1",
    equipmentIds: [],
  });
});

test("a full sync keeps no selection that was made for another mode", () => {
  expect(definitionFrom({ ...orion, mode: "full", recordTypes: ["user"] })).toMatchObject({
    recordTypes: [],
    vesselImos: [],
    companyId: null,
  });
});

test("only fields that differ from the saved ones count as changes", () => {
  expect(changedFields(orion, { ...orion, vesselImos: ["9074729"] })).toBe(0);
  expect(changedFields(NEW_SCHEDULE, { ...NEW_SCHEDULE, name: "x", cron: "0 2 * * *" })).toBe(2);
});
