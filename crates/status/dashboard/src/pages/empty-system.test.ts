import { expect, test } from "vitest";
import type { Overview, ValidationReport } from "../api/types";
import { conflictsStatus } from "./conflicts/conflicts";
import { dataQualityStatus } from "./data-quality/data-quality";
import { deadLettersStatus } from "./dead-letters/dead-letters";

const EMPTY: Overview = {
  running: [],
  fleet: [{ recordType: "vessel", active: 0 }],
  deadLetters: 0,
  openConflicts: 0,
  unpublished: 0,
  health: [],
};
const NO_RECORDS: ValidationReport = {
  records: [{ recordType: "vessel", records: 0, withErrors: 0, withWarnings: 0 }],
  codes: [],
  findings: [],
  pagination: { limit: 10, offset: 0, total: 0 },
};

test("an empty system is not green", () => {
  expect(conflictsStatus(EMPTY).tone).toBe("neutral");
  expect(deadLettersStatus(EMPTY).tone).toBe("neutral");
  expect(dataQualityStatus(NO_RECORDS).tone).toBe("neutral");
});

test("a number of conflicts that the server did not send is not zero", () => {
  const { openConflicts: _, ...unknown } = EMPTY;
  expect(conflictsStatus({ ...unknown, fleet: [{ recordType: "vessel", active: 3 }] }).tone).toBe("neutral");
});

test("a system that has synced without trouble is green", () => {
  const synced = { ...EMPTY, fleet: [{ recordType: "vessel" as const, active: 3 }] };
  expect(conflictsStatus(synced).tone).toBe("good");
  expect(deadLettersStatus(synced).tone).toBe("good");
});
