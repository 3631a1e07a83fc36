import { expect, test } from "vitest";
import type { Settings } from "../../api/types";
import { draftFields, emptyFieldErrors, settingsChange } from "./fields";

const settings = (part: Partial<Settings> = {}): Settings => ({
  version: 4,
  enableScheduledSync: true,
  scheduleCron: "0 2 * * *",
  scheduleTimeZone: "UTC",
  scheduleMode: "full",
  incrementalOverlapSeconds: 300,
  missingRecords: "keep",
  deactivationLimitPercent: 5,
  pageSize: 200,
  retryDelaysMs: [10_000, 30_000, 90_000],
  schedule: { description: "At 02:00.", nextRuns: [] },
  updatedAt: "2026-11-24T05:00:00Z",
  updatedBy: "anna",
  ...part,
});

test("only changed fields are sent, retry delays in milliseconds", () => {
  const edited = { missingRecords: "deactivate" as const, retrySeconds: [2.5, 30, 90], pageSize: "200" };
  const fields = draftFields(settings(), { version: 4, edited });
  expect(settingsChange(settings(), fields)).toEqual({
    missingRecords: "deactivate",
    retryDelaysMs: [2500, 30_000, 90_000],
  });
});

test("a draft keeps another operator's change to fields it did not edit", () => {
  const draft = { version: 4, edited: { pageSize: 500 } };
  const theirs = settings({ version: 5, missingRecords: "deactivate", deactivationLimitPercent: 10 });
  expect(settingsChange(theirs, draftFields(theirs, draft))).toEqual({ pageSize: 500 });
});

test("a field edited back to its saved value is no change", () => {
  const draft = { version: 4, edited: { pageSize: 200, missingRecords: "keep" as const } };
  expect(settingsChange(settings(), draftFields(settings(), draft))).toEqual({});
});

test("an empty number field is an error and is not sent as 0", () => {
  const edited = { deactivationLimitPercent: "", retrySeconds: [10, "", 90] };
  const fields = draftFields(settings(), { version: 4, edited });
  expect(settingsChange(settings(), fields)).toEqual({});
  expect(emptyFieldErrors(fields)).toEqual({
    deactivationLimitPercent: "Enter a number.",
    "retryDelaysMs.1": "Enter a number.",
  });
  expect(emptyFieldErrors(draftFields(settings(), null))).toEqual({});
});
