import { expect, test } from "vitest";
import type { Overview, RecordCounts, SyncSummary } from "../api/types";
import { needs, verdict } from "./verdict";

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
  fleet: [{ recordType: "vessel", active: 41 }],
  deadLetters: 0,
  unpublished: 0,
  health: [],
  ...part,
});

test("a fleet without trouble is in step, with a figure of all its records", () => {
  const counts = [equipment({ expected: 6042, read: 6042, unchanged: 6042 })];
  expect(verdict(overview({ lastFullSync: run({ counts }) }), [])).toMatchObject({
    tone: "good",
    sentence: "In step: 41 vessels",
    figure: { value: "6,042", unit: "records in step" },
  });
});

test("a dead letter puts the fleet out of step and leads to its page", () => {
  const sick = overview({ lastFullSync: run({}), deadLetters: 1 });
  expect(verdict(sick, [])).toMatchObject({ tone: "bad", sentence: "Not in step: 1 dead letter" });
  expect(needs(sick, [])[0]?.to).toEqual({ page: "dead-letters" });
});

test("rejected records alone are a warning, and are taken from the records in step", () => {
  const counts = [equipment({ expected: 10, read: 10, unchanged: 7, rejected: 2, conflict: 1 })];
  const odd = overview({ lastFullSync: run({ state: "completed_with_errors", counts }) });
  expect(verdict(odd, [])).toMatchObject({
    tone: "warn",
    sentence: "Not in step: 2 rejected records, 1 conflict",
    figure: { value: "7 of 10" },
  });
});

test("a full sync that was stopped gives no figure of the fleet: it has not seen it all", () => {
  const counts = [equipment({ expected: 10, read: 10, unchanged: 10 })];
  const stopped = verdict(overview({ lastFullSync: run({ state: "cancelled", counts }) }), []);
  expect(stopped).toMatchObject({ tone: "warn", sentence: "Not in step: the last full sync was cancelled" });
  expect(stopped.figure).toBeUndefined();
});

test("records that were announced and not read are trouble, whatever the state says of the rest", () => {
  const counts = [equipment({ expected: 10, read: 8, unchanged: 8 })];
  const lossy = overview({ lastFullSync: run({ state: "completed_with_errors", counts }) });
  expect(needs(lossy, []).map((need) => [need.key, need.tone])).toEqual([["missing", "bad"]]);
});

test("what is worst comes first", () => {
  const sick = overview({
    lastFullSync: run({ state: "failed", failure: "401" }),
    health: [{ name: "broker", ok: false, detail: "connection refused" }],
  });
  expect(needs(sick, []).map((need) => need.key)).toEqual(["health-broker", "failed"]);
  expect(needs(sick, [])[0]?.remedy).toMatch(/^Connection refused\. Work is kept/);
});

test("errors of smaller syncs count until a full sync has begun after them", () => {
  const before = run({ syncId: "a", mode: "selective", startedAt: "2026-11-24T04:00:00Z" });
  const after = run({ syncId: "b", mode: "selective", startedAt: "2026-11-24T06:00:00Z" });
  const calm = overview({ lastFullSync: run({}) });
  expect(verdict(calm, [before]).tone).toBe("good");
  expect(verdict(calm, [after, before])).toMatchObject({
    tone: "warn",
    sentence: "Not in step: 1 sync since the last full sync with errors",
  });
  expect(needs(calm, [after, before])[0]?.to).toEqual({ page: "sync", syncId: "b" });
});

test("while a full sync is under way, that is the answer", () => {
  const counts = [
    equipment({ expected: 190, read: 40, created: 40 }),
    ...(["company", "vessel"] as const).map((recordType) => ({ ...equipment({ expected: 5 }), recordType })),
    { ...equipment({ expected: 0, read: 10, created: 10 }), recordType: "user" as const },
  ];
  const busy = overview({ running: [run({ state: "running", counts })], deadLetters: 3 });
  expect(verdict(busy, [])).toMatchObject({
    tone: "info",
    detail: "50 of 200 records read.",
    figure: { value: "25 %" },
  });
});

test("a system that has never run says what a full sync would do", () => {
  const bare = overview({ fleet: [] });
  expect(verdict(bare, []).sentence).toBe("Nothing has been synchronised yet");
  expect(verdict(overview({}), []).detail).toMatch(/^41 vessels came by approval alone/);
});
