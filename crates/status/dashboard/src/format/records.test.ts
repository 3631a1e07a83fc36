import { expect, test } from "vitest";
import type { RecordDetail } from "../api/types";
import { recordName, recordStatus } from "./records";

const vessel = (part: Partial<RecordDetail> = {}): RecordDetail => ({
  recordType: "vessel",
  sourceId: "v-1",
  name: "Isthmus Navigator (IMO 9788411)",
  standing: "active",
  status: "active",
  particulars: {},
  dependents: {},
  openConflicts: 0,
  findings: [],
  findingsTotal: 0,
  ...part,
});

test("a record is called by its name, without one by its id", () => {
  expect(recordName(vessel())).toBe("Isthmus Navigator · IMO\u00a09788411");
  expect(recordName(vessel({ name: null }))).toBe("v-1");
});

test("only an active record without open conflicts is green", () => {
  expect(recordStatus(vessel()).tone).toBe("good");
  expect(recordStatus(vessel({ openConflicts: 2 }))).toMatchObject({
    tone: "warn",
    headline: "2 conflicts are open",
  });
  expect(recordStatus(vessel({ standing: "withdrawn", status: "withdrawn" })).tone).toBe("neutral");
  expect(recordStatus(vessel({ standing: "rejected" })).tone).toBe("bad");
});

test("a rejected record says whether an earlier state is here", () => {
  expect(recordStatus(vessel({ standing: "rejected" })).detail).toContain("An earlier state is here.");
  expect(recordStatus(vessel({ standing: "rejected", status: null })).detail).toContain(
    "No state of it is here.",
  );
});

test("a standing of a newer service shows its own word, and is not green", () => {
  const standing = "held_back" as RecordDetail["standing"];
  expect(recordStatus(vessel({ standing }))).toMatchObject({ tone: "neutral", headline: "Held back" });
});
