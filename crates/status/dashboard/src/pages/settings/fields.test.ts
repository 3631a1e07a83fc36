import { expect, test } from "vitest";
import type { Settings } from "../../api/types";
import { changeOf, withDraft } from "./fields";

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

test("only what was changed is sent, and waits go in milliseconds", () => {
  const touched = { scheduleCron: "30 4 * * 1", retrySeconds: [2.5, 30, 90], pageSize: "200" };
  const fields = withDraft(settings(), { version: 4, touched });
  expect(changeOf(settings(), fields)).toEqual({
    scheduleCron: "30 4 * * 1",
    retryDelaysMs: [2500, 30_000, 90_000],
  });
});

test("what another operator changed meanwhile is not undone by a draft that did not touch it", () => {
  const draft = { version: 4, touched: { pageSize: 500 } };
  const theirs = settings({ version: 5, scheduleCron: "0 6 * * *", enableScheduledSync: false });
  expect(changeOf(theirs, withDraft(theirs, draft))).toEqual({ pageSize: 500 });
});

test("a field that is typed back to what it was is no change", () => {
  const draft = { version: 4, touched: { pageSize: 200, enableScheduledSync: true } };
  expect(changeOf(settings(), withDraft(settings(), draft))).toEqual({});
});

test("an empty number goes as nought, which the server refuses with its place", () => {
  const draft = { version: 4, touched: { pageSize: "" } };
  expect(changeOf(settings(), withDraft(settings(), draft))).toEqual({ pageSize: 0 });
});
