import { expect, test } from "vitest";
import type { Overview, RecordCounts, SyncSummary, ValidationReport } from "../api/types";
import { needs, verdict } from "./fleet-status";

const run = (part: Partial<SyncSummary>): SyncSummary => ({
  syncId: "0193",
  cause: "manual",
  mode: "full",
  state: "completed",
  phase: 2,
  requestedBy: "anna",
  startedAt: "2026-11-24T05:00:00Z",
  heartbeatAt: "2026-11-24T05:00:00Z",
  counts: [],
  ...part,
});

const equipment = (part: Partial<RecordCounts>): RecordCounts => ({
  recordType: "equipment",
  expected: null,
  read: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  conflict: 0,
  rejected: 0,
  skipped: 0,
  ...part,
});

const overview = (part: Partial<Overview>): Overview => ({
  running: [],
  fleet: [
    { recordType: "vessel", active: 41 },
    { recordType: "equipment", active: 6000 },
  ],
  deadLetters: 0,
  unpublished: 0,
  health: [],
  ...part,
});

/** What stands about records: so many rejected, the first of them by these names. */
const standing = (rejected: number, ...labels: string[]): ValidationReport => ({
  records: [{ recordType: "vessel", records: 41, withErrors: rejected, withWarnings: 2 }],
  codes: [],
  findings: labels.map((label, place) => ({
    recordType: "vessel",
    sourceId: `v-${place}`,
    label,
    severity: "error",
    code: "imo_number_check_digit",
    pointer: "/imoNumber",
    message: "the check digit is wrong",
  })),
  pagination: { limit: 10, offset: 0, total: labels.length },
});
const CLEAN = standing(0);

test("a fleet without trouble is in step, with a figure of all its records", () => {
  expect(verdict(overview({ lastFullSync: run({}) }), CLEAN)).toMatchObject({
    tone: "good",
    sentence: "In step: 41 vessels",
    figure: { value: "6,041", unit: "active records" },
  });
});

test("a dead letter puts the fleet out of step and leads to its page", () => {
  const sick = overview({ lastFullSync: run({}), deadLetters: 1 });
  expect(verdict(sick, CLEAN)).toMatchObject({ tone: "bad", sentence: "Not in step: 1 dead letter" });
  expect(needs(sick, CLEAN)[0]?.to).toEqual({ page: "dead-letters" });
});

test("records that stand rejected are named, whichever sync found them and whatever ran since", () => {
  const calm = overview({ lastFullSync: run({ state: "completed" }) });
  const report = standing(5, "MV Nordic Grace", "MV Nordic Grace", "601.001/1 Main engine");
  expect(verdict(calm, report)).toMatchObject({ tone: "warn", sentence: "Not in step: 5 rejected records" });
  expect(needs(calm, report)[0]).toMatchObject({ to: { page: "records" } });
  expect(needs(calm, report)[0]?.remedy).toMatch(
    /^MV Nordic Grace, 601.001\/1 Main engine and 3 more\. Correct/,
  );
});

test("records that were rejected once and are mended do not count", () => {
  const counts = [equipment({ expected: 10, read: 10, unchanged: 8, rejected: 2 })];
  const mended = overview({ lastFullSync: run({ state: "completed_with_errors", counts }) });
  expect(verdict(mended, CLEAN).tone).toBe("good");
});

test("a full sync that was stopped is a warning, and one that asks waits for a word", () => {
  const stopped = overview({ lastFullSync: run({ state: "cancelled" }) });
  expect(verdict(stopped, CLEAN)).toMatchObject({
    tone: "warn",
    sentence: "Not in step: the last full sync was cancelled",
  });
  const counts = [equipment({ expected: 10, read: 10, unchanged: 10, missing: 7 })];
  const asking = overview({ lastFullSync: run({ missingRecords: "asks", counts }) });
  expect(verdict(asking, CLEAN).sentence).toBe("Not in step: 7 records to decide about");
});

test("records that were announced and not read are trouble, whatever the state says of the rest", () => {
  const counts = [equipment({ expected: 10, read: 8, unchanged: 8 })];
  const lossy = overview({ lastFullSync: run({ state: "completed_with_errors", counts }) });
  expect(needs(lossy, CLEAN).map((need) => [need.key, need.tone])).toEqual([["unread", "bad"]]);
});

test("what is worst comes first", () => {
  const sick = overview({
    lastFullSync: run({ state: "failed", failure: "401" }),
    health: [{ name: "broker", ok: false, detail: "connection refused" }],
  });
  expect(needs(sick, CLEAN).map((need) => need.key)).toEqual(["health-broker", "failed"]);
  expect(needs(sick, CLEAN)[0]?.remedy).toMatch(/^Connection refused\. Work is kept/);
});

test("while a full sync is under way, that is the answer", () => {
  const counts = [
    equipment({ expected: 190, read: 40, created: 40 }),
    ...(["company", "vessel"] as const).map((recordType) => ({ ...equipment({ expected: 5 }), recordType })),
    { ...equipment({ expected: 0, read: 10, created: 10 }), recordType: "user" as const },
  ];
  const busy = overview({ running: [run({ state: "running", counts })], deadLetters: 3 });
  expect(verdict(busy, CLEAN)).toMatchObject({
    tone: "info",
    detail: "50 of 200 records read.",
    figure: { value: "25 %" },
  });
});

test("a system that has never run says what a full sync would do", () => {
  const bare = overview({ fleet: [] });
  expect(verdict(bare, CLEAN).sentence).toBe("Nothing has been synchronised yet");
  expect(verdict(overview({}), CLEAN).detail).toMatch(/^41 vessels came by approval alone/);
});
