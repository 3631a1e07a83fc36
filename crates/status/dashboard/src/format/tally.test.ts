import { expect, test } from "vitest";
import type { RecordCounts, SyncSummary } from "../api/types";
import { expectedRecords, tallyOf } from "./tally";

const row = (recordType: RecordCounts["recordType"], part: Partial<RecordCounts>): RecordCounts => ({
  recordType,
  reached: true,
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

test("a tally sums over record types and orders them by phase", () => {
  const sum = tallyOf([
    row("user", { expected: 3, read: 3, unchanged: 2, rejected: 1 }),
    row("vessel", { expected: 2, read: 2, created: 2 }),
  ]);
  expect(sum.rows.map((r) => r.recordType)).toEqual(["vessel", "user"]);
  expect(sum.total).toMatchObject({ expected: 5, read: 5, created: 2, unchanged: 2, rejected: 1 });
  expect(sum.balanced).toBe(true);
  expect(sum.unread).toBe(0);
});

test("a tally whose outcomes do not sum up is not balanced", () => {
  expect(tallyOf([row("vessel", { read: 2, created: 1 })]).balanced).toBe(false);
});

test("unread is null until the provider has reported its count", () => {
  expect(tallyOf([row("vessel", { read: 2, created: 2 })]).unread).toBeNull();
  expect(tallyOf([row("vessel", { expected: 5, read: 2, created: 2 })]).unread).toBe(3);
});

test("late records may be read twice, other extra records are unexpected", () => {
  const twice = row("vessel", { expected: 5, read: 6, created: 5, updated: 1, late: 1 });
  expect(tallyOf([twice])).toMatchObject({ unread: 0, unexpected: 0 });
  const unread = row("user", { expected: 2, read: 1, created: 1 });
  expect(tallyOf([{ ...twice, late: 0 }, unread])).toMatchObject({ unread: 1, unexpected: 1 });
});

test("a full sync's total is unknown until all record types are counted", () => {
  const sync = (mode: SyncSummary["mode"], counts: RecordCounts[]): SyncSummary => ({
    syncId: "a",
    cause: "manual",
    mode,
    state: "running",
    phase: 2,
    requestedBy: "anna",
    startedAt: "2026-11-24T05:00:00Z",
    heartbeatAt: "2026-11-24T05:00:00Z",
    counts,
  });
  const some = [
    row("company", { expected: 10 }),
    row("vessel", { expected: 42 }),
    row("user", { expected: 500 }),
  ];
  expect(expectedRecords(sync("full", some))).toBeNull();
  expect(expectedRecords(sync("selective", some))).toBe(552);
  expect(expectedRecords(sync("full", [...some, row("equipment", { expected: 6000 })]))).toBe(6552);
  expect(expectedRecords(sync("full", [...some, row("equipment", {})]))).toBeNull();
});
