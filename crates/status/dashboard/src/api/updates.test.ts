import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { keys } from "./queries";
import type { List, SyncNotice, SyncSummary } from "./types";
import { UpdateApplier, withNotice } from "./updates";

const run: SyncSummary = {
  syncId: "a",
  cause: "manual",
  mode: "full",
  state: "running",
  phase: 1,
  requestedBy: "anna",
  startedAt: "2026-11-24T05:00:00Z",
  heartbeatAt: "2026-11-24T05:00:00Z",
  counts: [],
};
const notice = (part: Partial<SyncNotice>): SyncNotice => ({
  syncId: "a",
  state: "running",
  cause: "manual",
  mode: "full",
  phase: 2,
  counts: [],
  occurredAt: "2026-11-24T05:00:01Z",
  ...part,
});

test("a run that has ended stays ended, whatever arrives late", () => {
  expect(withNotice({ ...run, state: "completed" }, notice({})).state).toBe("completed");
  expect(withNotice(run, notice({ syncId: "b" }))).toBe(run);
});

test("many notices within a frame change the lists once, to the newest", () => {
  const cache = new QueryClient();
  const key = keys.history({ limit: 20, offset: 0 }, undefined);
  cache.setQueryData<List<SyncSummary>>(key, { data: [run], pagination: { limit: 20, offset: 0, total: 1 } });
  const frames: (() => void)[] = [];
  const applier = new UpdateApplier(cache, (frame) => frames.push(frame));
  applier.apply("sync.progress", JSON.stringify(notice({ phase: 1 })));
  applier.apply("sync.progress", JSON.stringify(notice({ phase: 2 })));
  applier.apply("sync.progress", "not json");
  expect(frames).toHaveLength(1);
  frames[0]?.();
  expect(cache.getQueryData<List<SyncSummary>>(key)?.data[0]?.phase).toBe(2);
});

test("a resync makes everything be asked for again", () => {
  const cache = new QueryClient();
  cache.setQueryData(keys.settings, {});
  new UpdateApplier(cache, () => 0).apply("resync", "{}");
  expect(cache.getQueryState(keys.settings)?.isInvalidated).toBe(true);
});
