// What is said of a sync in one sentence.
import type { Overview, SyncSummary } from "../api/types";
import { count, percent, plural } from "./numbers";
import { isOpen, isWhole, look, MODES, SYNC_STATES, type Tone } from "./states";
import { account, announced } from "./tally";

/** What a page opens with. */
export interface Verdict {
  tone: Tone;
  sentence: string;
  detail: string;
  figure?: { value: string; unit: string };
}

/** What a sync is called. */
export function runName(run: SyncSummary): string {
  if (run.retryOf) return "Second try";
  return run.dryRun ? `Dry run of a ${MODES[run.mode].toLowerCase()} sync` : `${MODES[run.mode]} sync`;
}

/** The sentence that a sync's page opens with. `deadTasks`: how many of its tasks were given up. */
export function runVerdict(run: SyncSummary, deadTasks = 0): Verdict {
  const { tone, word } = look(SYNC_STATES, run.state);
  return { tone, sentence: word, detail: detailOf(run, deadTasks) };
}

function detailOf(run: SyncSummary, deadTasks: number): string {
  const { total, unread } = account(run.counts);
  const read = plural(total.read, "record");
  if (isOpen(run.state) && run.detail) return run.detail;
  if (run.dryRun && isWhole(run.state)) {
    const rejected = total.rejected > 0 ? plural(total.rejected, "record") : "None";
    return `${read} looked at, and nothing written. ${rejected} would be rejected.`;
  }
  switch (run.state) {
    case "queued":
      return "Accepted; it begins as soon as a worker is free.";
    case "running":
      return `${read} read so far.`;
    case "retrying":
      return `All that is left waits for its next attempt; ${read} read so far.`;
    case "failed":
      return run.failure || `${read} read before it ended.`;
    case "cancelled":
      return `Cancelled${run.cancelledBy ? ` by ${run.cancelledBy}` : ""} after ${read}. What had been written stays.`;
    case "completed_with_errors": {
      const lost = Math.max(0, unread ?? 0);
      const wrong = [
        ...(total.rejected > 0 ? [`${plural(total.rejected, "record")} rejected`] : []),
        ...(lost > 0 ? [`${plural(lost, "announced record")} not read`] : []),
        ...(deadTasks > 0 ? [`${plural(deadTasks, "task")} given up`] : []),
      ];
      return wrong.length > 0
        ? `${wrong.join(", ")}. The rest is in.`
        : run.failure || "Some work was lost. The rest is in.";
    }
    default:
      return `${read} read, every one accounted for.`;
  }
}

/** A full sync that has not ended. */
export function underWay(full: SyncSummary): Verdict {
  const { total } = account(full.counts);
  const expected = announced(full);
  const share = percent(total.read, expected);
  return {
    tone: "info",
    sentence: `${full.dryRun ? "A dry run of a full sync" : "A full sync"} ${
      full.state === "retrying" ? "waits for its next attempt" : "is under way"
    }`,
    detail:
      expected === null
        ? `${plural(total.read, "record")} read so far.`
        : `${count(total.read)} of ${plural(expected, "record")} read.`,
    ...(share === null ? {} : { figure: { value: `${share} %`, unit: "read" } }),
  };
}

/** The sentence that the list of syncs opens with. */
export function syncsVerdict(overview: Overview): Verdict {
  const full = overview.running.find((run) => run.mode === "full");
  if (full) return underWay(full);
  const last = overview.lastFullSync;
  if (!last) {
    return {
      tone: "neutral",
      sentence: "No full sync has run yet",
      detail: "The first comes with the schedule, or when an operator starts it.",
    };
  }
  return { ...runVerdict(last), sentence: `The last full sync ${ENDINGS[last.state] ?? "is under way"}` };
}

const ENDINGS: Partial<Record<SyncSummary["state"], string>> = {
  completed: "completed",
  completed_with_errors: "completed with errors",
  failed: "failed",
  cancelled: "was cancelled",
};

/** Whether a run ended without all that it was to do, so that another may be wanted. */
export const wantsAnother = (run: SyncSummary): boolean =>
  run.mode === "full" && !run.dryRun && !isOpen(run.state) && run.state !== "completed";

/** Whether a run stopped before its end, so that it can go on from there. */
export const canGoOn = (run: SyncSummary): boolean => run.state === "failed" || run.state === "cancelled";
