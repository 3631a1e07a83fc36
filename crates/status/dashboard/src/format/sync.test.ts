import { expect, test } from "vitest";
import type { Overview, RecordCounts, SyncState, SyncSummary } from "../api/types";
import { canResume, needsAnotherFullSync, syncListStatus, syncName, syncStatus } from "./sync";

const counts: RecordCounts = {
  recordType: "equipment",
  reached: true,
  expected: 10,
  read: 8,
  created: 6,
  updated: 0,
  unchanged: 0,
  conflict: 0,
  rejected: 2,
  skipped: 0,
};

const sync = (state: SyncState, part: Partial<SyncSummary> = {}): SyncSummary => ({
  syncId: "0193",
  cause: "manual",
  mode: "full",
  state,
  phase: 2,
  requestedBy: "anna",
  startedAt: "2026-11-24T05:00:00Z",
  heartbeatAt: "2026-11-24T05:00:00Z",
  counts: [counts],
  ...part,
});

test("the status of a sync with errors counts each kind of error", () => {
  expect(syncStatus(sync("completed_with_errors"), 1)).toEqual({
    tone: "bad",
    headline: "Completed with errors",
    detail: "2 records rejected, 2 expected records not read, 1 task dead-lettered.",
  });
});

test("everything else succeeded only if nothing was left out", () => {
  const whole = sync("completed_with_errors", { counts: [{ ...counts, read: 10, created: 8 }] });
  expect(syncStatus(whole, 0)).toMatchObject({
    tone: "warn",
    detail: "2 records rejected. Everything else succeeded.",
  });
  const users = {
    ...counts,
    recordType: "user" as const,
    expected: null,
    reached: false,
    read: 0,
    rejected: 0,
  };
  const lost = sync("completed_with_errors", { counts: [{ ...counts, read: 10, created: 8 }, users] });
  expect(syncStatus(lost, 0)).toMatchObject({
    tone: "bad",
    detail: "Users were not read, 2 records rejected.",
  });
  expect(syncStatus(sync("running", { counts: [users] }), 0).tone).toBe("info");
});

test("the server's failure text is preferred to the dashboard's own", () => {
  expect(syncStatus(sync("failed", { failure: "the API key is not accepted" })).detail).toBe(
    "the API key is not accepted",
  );
  const lost = sync("completed_with_errors", { counts: [], failure: "a page is missing" });
  expect(syncStatus(lost).detail).toBe("a page is missing");
  expect(syncStatus(sync("failed")).detail).toBe("8 records read before it failed.");
});

test("a state that the dashboard does not know is no claim about the records", () => {
  const odd = sync("held_back" as SyncSummary["state"]);
  expect(syncStatus(odd)).toEqual({ tone: "neutral", headline: "Held back", detail: "8 records read." });
});

test("a dead task of a completed sync is named and red", () => {
  expect(syncStatus(sync("completed"), 1)).toMatchObject({
    tone: "bad",
    detail: "2 records rejected, 2 expected records not read, 1 task dead-lettered.",
  });
});

test("the status of a cancelled sync names who cancelled it", () => {
  expect(syncStatus(sync("cancelled", { cancelledBy: "bjarne" })).detail).toMatch(
    /^Cancelled by bjarne after/,
  );
});

test("another full sync is needed after an incomplete one only", () => {
  const wanted = (["completed", "running", "failed", "cancelled", "completed_with_errors"] as const).filter(
    (state) => needsAnotherFullSync(sync(state)),
  );
  expect(wanted).toEqual(["failed", "cancelled", "completed_with_errors"]);
});

test("only a failed or cancelled sync can be resumed", () => {
  expect(
    (["completed", "completed_with_errors", "failed", "cancelled"] as const).filter((s) =>
      canResume(sync(s)),
    ),
  ).toEqual(["failed", "cancelled"]);
});

test("the status of a dry run says that nothing was written", () => {
  const dry = sync("completed_with_errors", { dryRun: true });
  expect(syncName(dry)).toBe("Dry run of a full sync");
  expect(syncStatus(dry).detail).toBe("8 records checked, nothing written. 2 records would be rejected.");
  expect(needsAnotherFullSync(dry)).toBe(false);
  const overview: Overview = {
    running: [sync("running", { dryRun: true })],
    fleet: [],
    deadLetters: 0,
    unpublished: 0,
    health: [],
  };
  expect(syncListStatus(overview).headline).toBe("A dry run of a full sync is running");
});

test("the status of an open sync gives the reason why it waits", () => {
  expect(syncStatus(sync("running", { detail: "the portal asks for patience until 05:12" })).detail).toMatch(
    /^the portal asks/,
  );
});

test("the list's status is the running full sync, else the last one", () => {
  const overview = (part: Partial<Overview>): Overview => ({
    running: [],
    fleet: [],
    deadLetters: 0,
    unpublished: 0,
    health: [],
    ...part,
  });
  expect(syncListStatus(overview({})).headline).toBe("No full sync yet");
  expect(syncListStatus(overview({ lastFullSync: sync("failed") })).headline).toBe(
    "The last full sync failed",
  );
  const both = overview({ lastFullSync: sync("failed"), running: [sync("retrying")] });
  expect(syncListStatus(both).headline).toBe("A full sync is waiting for its next attempt");
});
