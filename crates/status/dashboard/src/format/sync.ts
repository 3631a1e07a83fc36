// The name of a sync and its status in one sentence.
import type { Overview, SyncSummary } from "../api/types";
import { formatCount, percentOf, plural } from "./numbers";
import { isComplete, isOpen, labelOf, modeWord, notReadText, SYNC_STATES } from "./states";
import type { Status } from "./status";
import { expectedRecords, tallyOf, unreachedTypes } from "./tally";

/** `Full sync`, `Retry sync`, `Dry run of a full sync` */
export function syncName(sync: SyncSummary): string {
  if (sync.retryOf) return "Retry sync";
  const mode = modeWord(sync.mode);
  return sync.dryRun ? `Dry run of a ${mode.toLowerCase()} sync` : `${mode} sync`;
}

/** The status line of a sync's page. `deadTasks`: undefined where they are not known, as in lists. */
export function syncStatus(sync: SyncSummary, deadTasks?: number): Status {
  const { tone, word } = labelOf(SYNC_STATES, sync.state);
  const hasHole = unreachedTypes(sync).length > 0 || (!isOpen(sync.state) && (deadTasks ?? 0) > 0);
  return { tone: hasHole ? "bad" : tone, headline: word, detail: statusDetail(sync, deadTasks) };
}

function statusDetail(sync: SyncSummary, deadTasks: number | undefined): string {
  const { total } = tallyOf(sync.counts);
  const read = plural(total.read, "record");
  if (isOpen(sync.state) && sync.detail) return sync.detail;
  if (sync.dryRun && isComplete(sync.state)) {
    const rejected = total.rejected > 0 ? plural(total.rejected, "record") : "None";
    return `${read} checked, nothing written. ${rejected} would be rejected.`;
  }
  switch (sync.state) {
    case "queued":
      return "Accepted. It starts as soon as a worker is free.";
    case "running":
      return `${read} read so far.`;
    case "retrying":
      return `All remaining tasks wait for their next attempt. ${read} read so far.`;
    case "failed":
      return `${sync.failure || `${read} read before it failed.`}${unreachedText(sync)}`;
    case "cancelled":
      return `Cancelled${sync.cancelledBy ? ` by ${sync.cancelledBy}` : ""} after ${read}. Records already written are kept.${unreachedText(sync)}`;
    case "completed_with_errors":
      return errorDetail(sync, deadTasks);
    case "completed":
      return deadTasks ? errorDetail(sync, deadTasks) : `${read} read, all accounted for.`;
    default:
      return `${read} read.`;
  }
}

/** ` Equipment was not read.`; empty if the sync read some of every record type. */
const unreachedText = (sync: SyncSummary): string =>
  unreachedTypes(sync)
    .map((type) => ` ${notReadText(type)}.`)
    .join("");

/** What went wrong in a sync that completed with errors, each kind with its number. */
function errorDetail(sync: SyncSummary, deadTasks: number | undefined): string {
  const { total, unread } = tallyOf(sync.counts);
  const unreached = unreachedTypes(sync);
  const errors = [
    ...unreached.map(notReadText),
    ...(total.rejected > 0 ? [`${plural(total.rejected, "record")} rejected`] : []),
    ...(unread !== null && unread > 0 ? [`${plural(unread, "expected record")} not read`] : []),
    ...(deadTasks ? [`${plural(deadTasks, "task")} dead-lettered`] : []),
  ];
  if (errors.length === 0) return sync.failure || "Some tasks failed.";
  const isWhole = unreached.length === 0 && !unread && deadTasks === 0;
  return `${errors.join(", ")}.${isWhole ? " Everything else succeeded." : ""}`;
}

/** The status line while a full sync has not ended. */
export function fullSyncProgress(sync: SyncSummary): Status {
  const { total } = tallyOf(sync.counts);
  const expected = expectedRecords(sync);
  const percent = percentOf(total.read, expected);
  return {
    tone: "info",
    headline: `${sync.dryRun ? "A dry run of a full sync" : "A full sync"} ${
      sync.state === "retrying" ? "is waiting for its next attempt" : "is running"
    }`,
    detail:
      expected === null
        ? `${plural(total.read, "record")} read so far.`
        : `${formatCount(total.read)} of ${plural(expected, "record")} read.`,
    ...(percent === null ? {} : { figure: { value: `${percent} %`, unit: "read" } }),
  };
}

/** The status line of the list of syncs. */
export function syncListStatus(overview: Overview): Status {
  const running = overview.running.find((sync) => sync.mode === "full");
  if (running) return fullSyncProgress(running);
  const last = overview.lastFullSync;
  if (!last) {
    return {
      tone: "neutral",
      headline: "No full sync yet",
      detail: "The first one starts on schedule, or when an operator starts it.",
    };
  }
  return {
    ...syncStatus(last),
    headline: `The last full sync ${LAST_SYNC_WORDS[last.state] ?? `is in the state “${labelOf(SYNC_STATES, last.state).word}”`}`,
  };
}

const LAST_SYNC_WORDS: Partial<Record<SyncSummary["state"], string>> = {
  queued: "is running",
  running: "is running",
  retrying: "is running",
  completed: "completed",
  completed_with_errors: "completed with errors",
  failed: "failed",
  cancelled: "was cancelled",
};

/** Whether a full sync ended without doing all its work. */
export const needsAnotherFullSync = (sync: SyncSummary): boolean =>
  sync.mode === "full" && !sync.dryRun && !isOpen(sync.state) && sync.state !== "completed";

export const canResume = (sync: SyncSummary): boolean =>
  sync.state === "failed" || sync.state === "cancelled";
