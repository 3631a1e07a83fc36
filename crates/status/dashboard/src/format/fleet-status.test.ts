import { expect, test } from "vitest";
import type { Overview, RecordCounts, SyncSummary, ValidationReport } from "../api/types";
import { attentionItems, fleetStatus } from "./fleet-status";

const sync = (part: Partial<SyncSummary>): SyncSummary => ({
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

/** A report of that many rejected records, the first of them with these names. */
const reportOf = (rejected: number, ...labels: string[]): ValidationReport => ({
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
const CLEAN = reportOf(0);

test("a fleet without attention items is in sync", () => {
  expect(fleetStatus(overview({ lastFullSync: sync({}) }), CLEAN)).toMatchObject({
    tone: "good",
    headline: "In sync: 41 vessels",
    figure: { value: "6,041", unit: "active records" },
  });
});

test("a dead letter makes the fleet out of sync and links to its page", () => {
  const sick = overview({ lastFullSync: sync({}), deadLetters: 1 });
  expect(fleetStatus(sick, CLEAN)).toMatchObject({ tone: "bad", headline: "Out of sync: 1 dead letter" });
  expect(attentionItems(sick, CLEAN)[0]?.to).toEqual({ page: "dead-letters" });
});

test("rejected records are named, whichever sync rejected them", () => {
  const calm = overview({ lastFullSync: sync({ state: "completed" }) });
  const report = reportOf(5, "MV Nordic Grace", "MV Nordic Grace", "601.001/1 Main engine");
  expect(fleetStatus(calm, report)).toMatchObject({
    tone: "warn",
    headline: "Out of sync: 5 rejected records",
  });
  expect(attentionItems(calm, report)[0]).toMatchObject({ to: { page: "data-quality" } });
  expect(attentionItems(calm, report)[0]?.remedy).toMatch(
    /^MV Nordic Grace, 601.001\/1 Main engine and 3 more\. Correct/,
  );
});

test("records rejected by the last sync and corrected since do not count", () => {
  const counts = [equipment({ expected: 10, read: 10, unchanged: 8, rejected: 2 })];
  const corrected = overview({ lastFullSync: sync({ state: "completed_with_errors", counts }) });
  expect(fleetStatus(corrected, CLEAN).tone).toBe("good");
});

test("a cancelled full sync and undecided missing records are warnings", () => {
  const stopped = overview({ lastFullSync: sync({ state: "cancelled" }) });
  expect(fleetStatus(stopped, CLEAN)).toMatchObject({
    tone: "warn",
    headline: "Out of sync: the last full sync was cancelled",
  });
  const counts = [equipment({ expected: 10, read: 10, unchanged: 10, missing: 7 })];
  const asking = overview({ lastFullSync: sync({ missingRecords: "asks", counts }) });
  expect(fleetStatus(asking, CLEAN).headline).toBe("Out of sync: 7 missing records");
});

test("expected records that were not read are an error", () => {
  const counts = [equipment({ expected: 10, read: 8, unchanged: 8 })];
  const lossy = overview({ lastFullSync: sync({ state: "completed_with_errors", counts }) });
  expect(attentionItems(lossy, CLEAN).map((item) => [item.key, item.tone])).toEqual([["unread", "bad"]]);
});

test("a record type that the last full sync did not reach makes the fleet out of sync", () => {
  const vessels = { ...equipment({ expected: 3, read: 3, unchanged: 3 }), recordType: "vessel" as const };
  const counts = [vessels, equipment({ reached: false })];
  const blind = overview({ lastFullSync: sync({ state: "completed_with_errors", counts }) });
  expect(fleetStatus(blind, CLEAN)).toMatchObject({
    tone: "bad",
    headline: "Out of sync: equipment was not read",
  });
  expect(attentionItems(blind, CLEAN)[0]).toMatchObject({ title: "Equipment was not read" });
});

test("conflicts that are open now count, not those of the last sync", () => {
  const counts = [equipment({ expected: 10, read: 10, unchanged: 9, conflict: 1 })];
  const decided = overview({ lastFullSync: sync({ counts }) });
  expect(fleetStatus(decided, CLEAN).tone).toBe("good");
  const open = overview({ lastFullSync: sync({}), openConflicts: 2 });
  expect(fleetStatus(open, CLEAN)).toMatchObject({
    tone: "warn",
    headline: "Out of sync: 2 open conflicts",
  });
  expect(attentionItems(open, CLEAN)[0]?.to).toEqual({ page: "conflicts" });
});

test("attention items are ordered worst first", () => {
  const sick = overview({
    lastFullSync: sync({ state: "failed", failure: "401" }),
    health: [{ name: "broker", ok: false, detail: "connection refused" }],
  });
  expect(attentionItems(sick, CLEAN).map((item) => item.key)).toEqual(["health-broker", "failed"]);
  expect(attentionItems(sick, CLEAN)[0]?.remedy).toMatch(/^Connection refused\. Pending work is kept/);
});

test("a portal that answers and refuses is named as such", () => {
  const lastOutcome = {
    class: "permanent" as const,
    failure: "answered 401",
    endedAt: "2026-11-24T05:00:00Z",
  };
  const part = { name: "onboarding-portal", ok: false, detail: "answered 401", lastOutcome };
  expect(attentionItems(overview({ health: [part] }), CLEAN)[0]).toMatchObject({
    tone: "bad",
    title: "The onboarding-portal refuses requests",
    remedy: expect.stringMatching(/^Answered 401\. Check the address and the API key/),
  });
});

test("a running full sync is the fleet's status", () => {
  const counts = [
    equipment({ expected: 190, read: 40, created: 40 }),
    ...(["company", "vessel"] as const).map((recordType) => ({ ...equipment({ expected: 5 }), recordType })),
    { ...equipment({ expected: 0, read: 10, created: 10 }), recordType: "user" as const },
  ];
  const busy = overview({ running: [sync({ state: "running", counts })], deadLetters: 3 });
  expect(fleetStatus(busy, CLEAN)).toMatchObject({
    tone: "info",
    detail: "50 of 200 records read.",
    figure: { value: "25 %" },
  });
});

test("without a full sync the status says what a full sync does", () => {
  const bare = overview({ fleet: [] });
  expect(fleetStatus(bare, CLEAN).headline).toBe("Nothing has been synced yet");
  expect(fleetStatus(overview({}), CLEAN).detail).toMatch(/^41 vessels came by webhook/);
});

test("what only the server knows of is an item, and a warning of it is never green", () => {
  const late = overview({
    lastFullSync: sync({}),
    deadLetters: 1,
    attention: [
      { urgency: "error", code: "dead_letters", message: "1 dead letter waits" },
      { urgency: "warning", code: "missed_ticks", message: "A scheduled sync did not start" },
      { urgency: "error", code: "tide_table" as "health", message: "The tide table is missing" },
    ],
  });
  expect(attentionItems(late, CLEAN).map((item) => [item.tone, item.title])).toEqual([
    ["bad", "1 dead letter waiting"],
    ["bad", "The tide table is missing"],
    ["warn", "A scheduled sync did not start"],
  ]);
  expect(fleetStatus(overview({ lastFullSync: sync({}), attention: [] }), CLEAN).tone).toBe("good");
});

test("a last full sync in an unknown state, or without any record, is no evidence", () => {
  const odd = overview({ lastFullSync: sync({ state: "held_back" as SyncSummary["state"] }) });
  expect(fleetStatus(odd, CLEAN)).toMatchObject({
    tone: "neutral",
    headline: "The last full sync is in the state “Held back”",
  });
  const empty = overview({ lastFullSync: sync({}), fleet: [{ recordType: "vessel", active: 0 }] });
  expect(fleetStatus(empty, CLEAN)).toMatchObject({
    tone: "neutral",
    headline: "No records in either portal",
  });
});
