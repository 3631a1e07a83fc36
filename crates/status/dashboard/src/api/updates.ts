// What live updates do to the query cache: the only thing that they may touch.
import type { QueryClient } from "@tanstack/react-query";
import { keys } from "./queries";
import type { List, Overview, RecordCounts, SyncDetail, SyncNotice, SyncSummary } from "./types";

const ENDED = new Set(["completed", "completed_with_errors", "failed", "cancelled"]);

/** A run with a notice laid over it. A run that has ended stays ended, unless it goes on after that. */
export function withNotice<T extends SyncSummary>(run: T, notice: SyncNotice): T {
  if (notice.syncId !== run.syncId) return run;
  const late = !run.completedAt || Date.parse(notice.occurredAt) <= Date.parse(run.completedAt);
  if (ENDED.has(run.state) && late) return run;
  return {
    ...run,
    state: notice.state,
    phase: notice.phase,
    heartbeatAt: notice.occurredAt,
    counts: notice.counts.length > 0 ? notice.counts : run.counts,
    // Its clock stands still at once; the exact moment comes with the next answer.
    completedAt: ENDED.has(notice.state) ? (run.completedAt ?? notice.occurredAt) : null,
  };
}

const rejected = (counts: RecordCounts[]): number => counts.reduce((n, row) => n + row.rejected, 0);

/** Gathers notices and lays them over the cache once a frame; asks the server again where an update says too little. */
export class UpdateApplier {
  private progress = new Map<string, SyncNotice>();
  private stale = new Map<string, readonly unknown[]>();
  private frame: number | null = null;
  private refetch: ReturnType<typeof setTimeout> | null = null;

  private readonly cache: QueryClient;
  private readonly nextFrame: (run: () => void) => number;

  constructor(
    cache: QueryClient,
    nextFrame: (run: () => void) => number = (run) => requestAnimationFrame(run),
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
      const notice = parsed(data);
      if (notice) this.ofARun(name, notice);
    } else if (name.startsWith("deadletter.")) this.ask(keys.deadLetters, keys.overview);
    else if (name === "webhook.received") this.ask(keys.overview);
    else if (name === "schedule.changed") this.ask(keys.settings, keys.overview);
  }

  private ofARun(name: string, notice: SyncNotice) {
    const { syncId } = notice;
    this.progress.set(syncId, notice);
    this.frame ??= this.nextFrame(() => this.flush());
    if (name !== "sync.progress") {
      this.ask(keys.overview, keys.sync(syncId), keys.histories, keys.standing);
    }
  }

  private flush() {
    this.frame = null;
    for (const [syncId, notice] of this.progress) {
      this.cache.setQueryData<Overview>(keys.overview, (old) => {
        if (!old) return old;
        if (!old.running.some((run) => run.syncId === syncId) && !ENDED.has(notice.state)) {
          this.ask(keys.overview);
        }
        return { ...old, running: old.running.map((run) => withNotice(run, notice)) };
      });
      this.cache.setQueryData<SyncDetail>(keys.sync(syncId), (old) => {
        if (!old) return old;
        // A notice counts the rejected; which and why, only the server says.
        if (rejected(notice.counts) > rejected(old.counts)) this.ask(keys.sync(syncId));
        return withNotice(old, notice);
      });
      this.cache.setQueriesData<List<SyncSummary>>({ queryKey: keys.histories }, (old) =>
        old ? { ...old, data: old.data.map((run) => withNotice(run, notice)) } : old,
      );
    }
    this.progress.clear();
  }

  /** At most twice a second, however many updates ask for it. */
  private ask(...stale: (readonly unknown[])[]) {
    for (const key of stale) this.stale.set(JSON.stringify(key), key);
    this.refetch ??= setTimeout(() => {
      this.refetch = null;
      const asked = [...this.stale.values()];
      this.stale.clear();
      for (const queryKey of asked) this.cache.invalidateQueries({ queryKey });
    }, 500);
  }
}

function parsed(data: string): SyncNotice | null {
  try {
    return JSON.parse(data) as SyncNotice;
  } catch {
    return null;
  }
}
