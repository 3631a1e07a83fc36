// Applies live updates to the query cache. Updates change nothing else.
import type { QueryClient } from "@tanstack/react-query";
import { keys } from "./queries/keys";
import type { List, Overview, RecordCounts, SyncDetail, SyncNotice, SyncSummary } from "./types";

const ENDED_STATES = new Set(["completed", "completed_with_errors", "failed", "cancelled"]);

/** The sync with the notice's values. A sync that has ended stays ended, unless the notice is newer: then it was resumed. */
export function withNotice<T extends SyncSummary>(sync: T, notice: SyncNotice): T {
  if (notice.syncId !== sync.syncId) return sync;
  const late = !sync.completedAt || Date.parse(notice.occurredAt) <= Date.parse(sync.completedAt);
  if (ENDED_STATES.has(sync.state) && late) return sync;
  return {
    ...sync,
    state: notice.state,
    phase: notice.phase,
    heartbeatAt: notice.occurredAt,
    counts: mergedCounts(sync.counts, notice.counts),
    // Stops the elapsed time at once. The exact time comes with the next response.
    completedAt: ENDED_STATES.has(notice.state) ? (sync.completedAt ?? notice.occurredAt) : null,
  };
}

/** The notice's counts, and those of record types that it does not name. */
const mergedCounts = (old: RecordCounts[], latest: RecordCounts[]): RecordCounts[] => [
  ...latest,
  ...old.filter((row) => !latest.some(({ recordType }) => recordType === row.recordType)),
];

const rejectedCount = (counts: RecordCounts[]): number => counts.reduce((n, row) => n + row.rejected, 0);

/** Least time between two requests for the sync that is shown, in ms. */
const DETAIL_INTERVAL = 2000;

/** Collects notices and applies them to the cache once a frame. Invalidates queries that an update says too little about. */
export class UpdateApplier {
  private notices = new Map<string, SyncNotice>();
  private staleKeys = new Map<string, readonly unknown[]>();
  private readonly refreshes = new Set<string>();
  private pendingFrame: number | null = null;
  private invalidation: ReturnType<typeof setTimeout> | null = null;

  private readonly cache: QueryClient;
  private readonly nextFrame: (callback: () => void) => number;

  constructor(
    cache: QueryClient,
    nextFrame: (callback: () => void) => number = (callback) => requestAnimationFrame(callback),
  ) {
    this.cache = cache;
    this.nextFrame = nextFrame;
  }

  apply(name: string, data: string): void {
    if (name === "heartbeat") return;
    if (name === "resync") {
      this.cache.invalidateQueries();
      return;
    }
    if (name.startsWith("sync.")) {
      const notice = parseNotice(data);
      if (notice) this.applyNotice(name, notice);
    } else if (name.startsWith("deadletter.")) this.invalidate(keys.deadLetters, keys.overview);
    else if (name.startsWith("conflict.")) this.invalidate(keys.conflicts, keys.records, keys.overview);
    else if (name.startsWith("webhook.")) this.invalidate(keys.webhooks, keys.records, keys.overview);
    else if (name === "schedule.changed") this.invalidate(keys.settings, keys.schedules, keys.overview);
    else if (name === "health.changed") this.invalidate(keys.doctor, keys.overview);
  }

  private applyNotice(name: string, notice: SyncNotice) {
    const { syncId } = notice;
    this.notices.set(syncId, notice);
    this.pendingFrame ??= this.nextFrame(() => this.flush());
    if (name === "sync.progress") this.refreshDetail(syncId);
    else {
      this.invalidate(keys.overview, keys.sync(syncId), keys.histories, keys.dataQuality, keys.records);
    }
  }

  private flush() {
    this.pendingFrame = null;
    for (const [syncId, notice] of this.notices) {
      this.cache.setQueryData<Overview>(keys.overview, (old) => {
        if (!old) return old;
        if (!old.running.some((sync) => sync.syncId === syncId) && !ENDED_STATES.has(notice.state)) {
          this.invalidate(keys.overview);
        }
        return { ...old, running: old.running.map((sync) => withNotice(sync, notice)) };
      });
      this.cache.setQueryData<SyncDetail>(keys.sync(syncId), (old) => {
        if (!old) return old;
        // A notice counts the rejected records. Which records and why comes only with the sync itself.
        if (rejectedCount(notice.counts) > rejectedCount(old.counts)) this.invalidate(keys.sync(syncId));
        return withNotice(old, notice);
      });
      this.cache.setQueriesData<List<SyncSummary>>({ queryKey: keys.histories }, (old) =>
        old ? { ...old, data: old.data.map((sync) => withNotice(sync, notice)) } : old,
      );
    }
    this.notices.clear();
  }

  /** Fetches a sync anew that is shown: a notice has no task counts and no attempts. */
  private refreshDetail(syncId: string) {
    if (this.refreshes.has(syncId)) return;
    this.refreshes.add(syncId);
    setTimeout(() => {
      this.refreshes.delete(syncId);
      this.cache.invalidateQueries({ queryKey: keys.sync(syncId), exact: true });
    }, DETAIL_INTERVAL);
  }

  /** Invalidates queries at most twice a second, however many updates arrive. */
  private invalidate(...stale: (readonly unknown[])[]) {
    for (const key of stale) this.staleKeys.set(JSON.stringify(key), key);
    this.invalidation ??= setTimeout(() => {
      this.invalidation = null;
      const queryKeys = [...this.staleKeys.values()];
      this.staleKeys.clear();
      for (const queryKey of queryKeys) this.cache.invalidateQueries({ queryKey });
    }, 500);
  }
}

function parseNotice(data: string): SyncNotice | null {
  try {
    return JSON.parse(data) as SyncNotice;
  } catch {
    return null;
  }
}
