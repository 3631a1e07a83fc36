import { expect, test } from "vitest";
import type { SyncSummary } from "../api/types";
import { requestLike, vesselsOf } from "./sync-request";

const sync = (mode: SyncSummary["mode"], scope: object = {}): SyncSummary => ({
  syncId: "0193",
  cause: "manual",
  mode,
  state: "completed",
  phase: 2,
  requestedBy: "anna",
  startedAt: "2026-11-24T05:00:00Z",
  heartbeatAt: "2026-11-24T05:00:00Z",
  counts: [],
  dryRun: true,
  scope: scope as Record<string, never>,
});

test("a selective sync is repeated with all that narrowed it", () => {
  const narrowed = sync("selective", {
    vesselIds: ["v-1"],
    recordTypes: ["equipment"],
    updatedSince: "2026-11-01T00:00:00Z",
  });
  expect(vesselsOf(narrowed)).toEqual(["v-1"]);
  expect(requestLike(narrowed, ["9788411"])).toMatchObject({
    mode: "selective",
    vesselImos: ["9788411"],
    recordTypes: ["equipment"],
    changedSince: "2026-11-01T00:00:00Z",
  });
});

test("the start of an incremental sync is found anew, not taken from the earlier one", () => {
  expect(requestLike(sync("incremental", { updatedSince: "2026-11-01T00:00:00Z" }), [])).toEqual({
    mode: "incremental",
    recordTypes: [],
  });
});

test("a sync that no request can repeat is not offered", () => {
  expect(requestLike(sync("selective", { sourceIds: { vessel: ["v-1"] } }), [])).toBeNull();
  expect(requestLike(sync("selective", { fieldOfTomorrow: 1 }), [])).toBeNull();
});
