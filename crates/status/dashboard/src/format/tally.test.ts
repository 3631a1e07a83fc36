import { expect, test } from "vitest";
import type { RecordCounts, SyncSummary } from "../api/types";
import { account, announced } from "./tally";

const row = (recordType: RecordCounts["recordType"], part: Partial<RecordCounts>): RecordCounts => ({
  recordType,
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

test("the account adds up over the kinds of record and puts them in the order of the phases", () => {
  const sum = account([
    row("user", { expected: 3, read: 3, unchanged: 2, rejected: 1 }),
    row("vessel", { expected: 2, read: 2, created: 2 }),
  ]);
  expect(sum.rows.map((r) => r.recordType)).toEqual(["vessel", "user"]);
  expect(sum.total).toMatchObject({ expected: 5, read: 5, created: 2, unchanged: 2, rejected: 1 });
  expect(sum.sums).toBe(true);
  expect(sum.unread).toBe(0);
});

test("an account whose outcomes do not make what was read says so", () => {
  expect(account([row("vessel", { read: 2, created: 1 })]).sums).toBe(false);
});

test("nothing is missing as long as the provider has not said how many there are", () => {
  expect(account([row("vessel", { read: 2, created: 2 })]).unread).toBeNull();
  expect(account([row("vessel", { expected: 5, read: 2, created: 2 })]).unread).toBe(3);
});

test("what changed while it was read may come twice, and anything else that was not announced may not", () => {
  const twice = row("vessel", { expected: 5, read: 6, created: 5, updated: 1, late: 1 });
  expect(account([twice])).toMatchObject({ unread: 0, unannounced: 0 });
  const unread = row("user", { expected: 2, read: 1, created: 1 });
  expect(account([{ ...twice, late: 0 }, unread])).toMatchObject({ unread: 1, unannounced: 1 });
});

test("a full sync does not know its whole before every kind of record is announced", () => {
  const run = (mode: SyncSummary["mode"], counts: RecordCounts[]): SyncSummary => ({
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
  expect(announced(run("full", some))).toBeNull();
  expect(announced(run("selective", some))).toBe(552);
  expect(announced(run("full", [...some, row("equipment", { expected: 6000 })]))).toBe(6552);
  expect(announced(run("full", [...some, row("equipment", {})]))).toBeNull();
});
