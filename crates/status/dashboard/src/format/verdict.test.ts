import { expect, test } from "vitest";
import type { Overview, SyncSummary } from "../api/types";
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

const overview = (part: Partial<Overview>): Overview => ({
  running: [],
  fleet: [{ recordType: "vessel", active: 41 }],
  deadLetters: 0,
  unpublished: 0,
  health: [],
  ...part,
});

test("a fleet without trouble is in step", () => {
  expect(verdict(overview({ lastFullSync: run({}) }))).toMatchObject({
    tone: "good",
    sentence: "In step: 41 vessels",
  });
});

test("a dead letter puts the fleet out of step and leads to its page", () => {
  const sick = overview({ lastFullSync: run({}), deadLetters: 1 });
  expect(verdict(sick)).toMatchObject({ tone: "bad", detail: "1 dead letter waits." });
  expect(needs(sick)[0]?.to).toEqual({ page: "dead-letters" });
});

test("what is worst comes first", () => {
  const sick = overview({
    lastFullSync: run({ state: "failed", failure: "401" }),
    health: [{ name: "broker", ok: false, detail: null }],
  });
  expect(needs(sick).map((need) => need.key)).toEqual(["health-broker", "failed"]);
});

test("a system that has never run says what a full sync would do", () => {
  expect(verdict(overview({})).sentence).toBe("Nothing has been synchronised yet");
});
