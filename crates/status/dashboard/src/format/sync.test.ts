import { expect, test } from "vitest";
import type { Overview, RecordCounts, SyncState, SyncSummary } from "../api/types";
import { canGoOn, runName, runVerdict, syncsVerdict, wantsAnother } from "./sync";

const counts: RecordCounts = {
  recordType: "equipment",
  expected: 10,
  read: 8,
  created: 6,
  updated: 0,
  unchanged: 0,
  conflict: 0,
  rejected: 2,
  skipped: 0,
};

const run = (state: SyncState, part: Partial<SyncSummary> = {}): SyncSummary => ({
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

test("a sync with errors names each kind of loss with its number", () => {
  expect(runVerdict(run("completed_with_errors"), 1)).toEqual({
    tone: "warn",
    sentence: "Completed with errors",
    detail: "2 records rejected, 2 announced records not read, 1 task given up. The rest is in.",
  });
});

test("what the server says of a failure goes before words of our own", () => {
  expect(runVerdict(run("failed", { failure: "the API key is not accepted" })).detail).toBe(
    "the API key is not accepted",
  );
  const lost = run("completed_with_errors", { counts: [], failure: "a page is missing" });
  expect(runVerdict(lost).detail).toBe("a page is missing");
  expect(runVerdict(run("failed")).detail).toBe("8 records read before it ended.");
});

test("a cancelled sync says by whom", () => {
  expect(runVerdict(run("cancelled", { cancelledBy: "bjarne" })).detail).toMatch(
    /^Cancelled by bjarne after/,
  );
});

test("another full sync is offered only after one that did not do all", () => {
  const wanted = (["completed", "running", "failed", "cancelled", "completed_with_errors"] as const).filter(
    (state) => wantsAnother(run(state)),
  );
  expect(wanted).toEqual(["failed", "cancelled", "completed_with_errors"]);
});

test("only a sync that stopped can go on", () => {
  expect(
    (["completed", "completed_with_errors", "failed", "cancelled"] as const).filter((s) => canGoOn(run(s))),
  ).toEqual(["failed", "cancelled"]);
});

test("a dry run never reads as if it had written", () => {
  const dry = run("completed_with_errors", { dryRun: true });
  expect(runName(dry)).toBe("Dry run of a full sync");
  expect(runVerdict(dry).detail).toBe(
    "8 records looked at, and nothing written. 2 records would be rejected.",
  );
  expect(wantsAnother(dry)).toBe(false);
  const overview: Overview = {
    running: [run("running", { dryRun: true })],
    fleet: [],
    deadLetters: 0,
    unpublished: 0,
    health: [],
  };
  expect(syncsVerdict(overview).sentence).toBe("A dry run of a full sync is under way");
});

test("a sync that does not move says what it waits for", () => {
  expect(runVerdict(run("running", { detail: "the portal asks for patience until 05:12" })).detail).toMatch(
    /^the portal asks/,
  );
});

test("the list of syncs opens with the full sync that runs, and otherwise with the last", () => {
  const overview = (part: Partial<Overview>): Overview => ({
    running: [],
    fleet: [],
    deadLetters: 0,
    unpublished: 0,
    health: [],
    ...part,
  });
  expect(syncsVerdict(overview({})).sentence).toBe("No full sync has run yet");
  expect(syncsVerdict(overview({ lastFullSync: run("failed") })).sentence).toBe("The last full sync failed");
  const both = overview({ lastFullSync: run("failed"), running: [run("retrying")] });
  expect(syncsVerdict(both).sentence).toBe("A full sync waits for its next attempt");
});
