import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import { keys } from "./queries/keys";
import type { List, RecordCounts, SyncNotice, SyncSummary } from "./types";
import { UpdateApplier, withNotice } from "./updates";

const sync: SyncSummary = {
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
  reached: true,
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

test("a sync that has ended ignores an older notice", () => {
  const ended = { ...sync, state: "completed" as const, completedAt: "2026-11-24T05:00:02Z" };
  expect(withNotice(ended, notice({}))).toBe(ended);
  expect(withNotice(sync, notice({ syncId: "b" }))).toBe(sync);
});

test("a newer notice reopens a sync that was resumed", () => {
  const stopped = { ...sync, state: "cancelled" as const, completedAt: "2026-11-24T05:00:02Z" };
  const resumed = withNotice(stopped, notice({ occurredAt: "2026-11-24T05:07:00Z" }));
  expect(resumed).toMatchObject({ state: "running", completedAt: null });
});

test("notices within one frame change the lists once, to the newest", () => {
  const cache = new QueryClient();
  const key = keys.history({ limit: 20, offset: 0 }, {});
  cache.setQueryData<List<SyncSummary>>(key, {
    data: [sync],
    pagination: { limit: 20, offset: 0, total: 1 },
  });
  const frames: (() => void)[] = [];
  const applier = new UpdateApplier(cache, (frame) => frames.push(frame));
  applier.apply("sync.progress", JSON.stringify(notice({ phase: 1 })));
  applier.apply("sync.progress", JSON.stringify(notice({ phase: 2 })));
  applier.apply("sync.progress", "not json");
  expect(frames).toHaveLength(1);
  frames[0]?.();
  expect(cache.getQueryData<List<SyncSummary>>(key)?.data[0]?.phase).toBe(2);
});

test("a notice of the end sets the end time at once", () => {
  const ended = withNotice(sync, notice({ state: "completed" }));
  expect(ended.completedAt).toBe("2026-11-24T05:00:01Z");
  expect(withNotice(sync, notice({})).completedAt).toBeNull();
});

test("only a sync that starts or ends invalidates the lists", async () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  const key = keys.history({ limit: 20, offset: 0 }, {});
  const list = { data: [sync], pagination: { limit: 20, offset: 0, total: 1 } };
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

test("a higher count of rejected records invalidates the sync", async () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  cache.setQueryData(keys.sync("a"), { ...sync, counts: [row(1)] });
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

test("dead letters and settings updates invalidate their own queries", async () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  const letters = keys.deadLetterList({ limit: 20, offset: 0 }, { state: "dead" });
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

test("a change of health invalidates the overview and the doctor, and nothing else", async () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  for (const key of [keys.overview, keys.doctor, keys.settings]) cache.setQueryData(key, {});
  new UpdateApplier(cache, () => 0).apply("health.changed", "{}");
  await vi.advanceTimersByTimeAsync(1000);
  const stale = (key: readonly unknown[]) => cache.getQueryState(key)?.isInvalidated;
  expect([stale(keys.overview), stale(keys.doctor), stale(keys.settings)]).toEqual([true, true, false]);
  vi.useRealTimers();
});

test("a resync invalidates every query", () => {
  const cache = new QueryClient();
  cache.setQueryData(keys.settings, {});
  new UpdateApplier(cache, () => 0).apply("resync", "{}");
  expect(cache.getQueryState(keys.settings)?.isInvalidated).toBe(true);
});

test("progress of a sync that is shown fetches its task counts, at most every two seconds", () => {
  vi.useFakeTimers();
  const cache = new QueryClient();
  const invalidate = vi.spyOn(cache, "invalidateQueries");
  const applier = new UpdateApplier(cache, () => 0);
  for (let n = 0; n < 50; n++) applier.apply("sync.progress", JSON.stringify(notice({})));
  vi.advanceTimersByTime(2000);
  expect(invalidate.mock.calls).toEqual([[{ queryKey: keys.sync("a"), exact: true }]]);
  vi.useRealTimers();
});
