import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import { keys } from "./queries";
import type { List, RecordCounts, SyncNotice, SyncSummary } from "./types";
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
const row = (rejected: number): RecordCounts => ({
  recordType: "vessel",
  expected: 42,
  read: rejected,
  created: 0,
  updated: 0,
  unchanged: 0,
  conflict: 0,
  rejected,
  skipped: 0,
});
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
  const ended = { ...run, state: "completed" as const, completedAt: "2026-11-24T05:00:02Z" };
  expect(withNotice(ended, notice({}))).toBe(ended);
  expect(withNotice(run, notice({ syncId: "b" }))).toBe(run);
});

test("a run that goes on after its end is at work again, and its clock runs", () => {
  const stopped = { ...run, state: "cancelled" as const, completedAt: "2026-11-24T05:00:02Z" };
  const resumed = withNotice(stopped, notice({ occurredAt: "2026-11-24T05:07:00Z" }));
  expect(resumed).toMatchObject({ state: "running", completedAt: null });
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

test("a run that has ended stops its clock at once, before the server is asked again", () => {
  const ended = withNotice(run, notice({ state: "completed" }));
  expect(ended.completedAt).toBe("2026-11-24T05:00:01Z");
  expect(withNotice(run, notice({})).completedAt).toBeNull();
});

test("a run that begins or ends makes the lists be asked for again; progress alone does not", async () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  const key = keys.history({ limit: 20, offset: 0 }, undefined);
  const list = { data: [run], pagination: { limit: 20, offset: 0, total: 1 } };
  cache.setQueryData<List<SyncSummary>>(key, list);
  const applier = new UpdateApplier(cache, () => 0);
  applier.apply("sync.progress", JSON.stringify(notice({})));
  await vi.advanceTimersByTimeAsync(1000);
  expect(cache.getQueryState(key)?.isInvalidated).toBe(false);
  applier.apply("sync.started", JSON.stringify(notice({ syncId: "b" })));
  await vi.advanceTimersByTimeAsync(1000);
  expect(cache.getQueryState(key)?.isInvalidated).toBe(true);
  vi.useRealTimers();
});

test("when more records are rejected than are known, the sync is asked which", async () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  cache.setQueryData(keys.sync("a"), { ...run, counts: [row(1)] });
  const frames: (() => void)[] = [];
  const applier = new UpdateApplier(cache, (frame) => frames.push(frame));
  const progress = async (rejected: number) => {
    applier.apply("sync.progress", JSON.stringify(notice({ counts: [row(rejected)] })));
    frames.pop()?.();
    await vi.advanceTimersByTimeAsync(1000);
    return cache.getQueryState(keys.sync("a"))?.isInvalidated;
  };
  expect(await progress(1)).toBe(false);
  expect(await progress(2)).toBe(true);
  vi.useRealTimers();
});

test("a dead letter and a change of settings make their own pages be asked for again", async () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  const letters = keys.deadLetterList({ limit: 20, offset: 0 }, "dead");
  for (const key of [letters, keys.settings, keys.overview]) cache.setQueryData(key, {});
  const applier = new UpdateApplier(cache, () => 0);
  const stale = (key: readonly unknown[]) => cache.getQueryState(key)?.isInvalidated;
  applier.apply("deadletter.added", "{}");
  await vi.advanceTimersByTimeAsync(1000);
  expect([stale(letters), stale(keys.overview), stale(keys.settings)]).toEqual([true, true, false]);
  applier.apply("schedule.changed", "{}");
  await vi.advanceTimersByTimeAsync(1000);
  expect(stale(keys.settings)).toBe(true);
  vi.useRealTimers();
});

test("a resync makes everything be asked for again", () => {
  const cache = new QueryClient();
  cache.setQueryData(keys.settings, {});
  new UpdateApplier(cache, () => 0).apply("resync", "{}");
  expect(cache.getQueryState(keys.settings)?.isInvalidated).toBe(true);
});
