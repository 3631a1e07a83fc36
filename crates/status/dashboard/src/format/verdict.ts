// The answer to "is the fleet in step?" in one sentence and one figure, and what needs a person.
import type { Overview, SyncSummary } from "../api/types";
import { account } from "./accounts";
import { count, plural } from "./numbers";
import { underWay, type Verdict } from "./run";
import { isWhole, type Tone } from "./states";
import { capital } from "./words";

export interface Need {
  key: string;
  tone: Tone;
  /** As the verdict names it, in passing: `2 dead letters`. */
  short: string;
  what: string;
  remedy: string;
  to:
    | { page: "sync"; syncId: string }
    | { page: "dead-letters" }
    | { page: "syncs"; state: "completed_with_errors" }
    | null;
}

/** Smaller syncs that ended with errors after the last full sync; an older one is answered by that full sync. */
export function troubledSince(overview: Overview, troubled: SyncSummary[]): SyncSummary[] {
  const last = overview.lastFullSync ? Date.parse(overview.lastFullSync.startedAt) : 0;
  return troubled.filter((run) => run.mode !== "full" && Date.parse(run.startedAt) > last);
}

/**
 * What needs a person, worst first; empty when nothing does.
 *
 * @param troubled syncs that completed with errors, newest first
 */
export function needs(overview: Overview, troubled: SyncSummary[]): Need[] {
  const list: Need[] = [];
  for (const part of overview.health.filter((p) => !p.ok)) {
    list.push({
      key: `health-${part.name}`,
      tone: "bad",
      short: `the ${part.name} does not answer`,
      what: `The ${part.name} does not answer`,
      remedy: `${part.detail ? `${capital(part.detail.replace(/\.$/, ""))}. ` : ""}Work is kept, and goes on by itself when it is back.`,
      to: null,
    });
  }
  const last = overview.lastFullSync;
  if (last?.state === "failed") {
    list.push({
      key: "failed",
      tone: "bad",
      short: "the last full sync failed",
      what: "The last full sync failed",
      remedy: last.failure ?? "Its page says why.",
      to: { page: "sync", syncId: last.syncId },
    });
  }
  if (overview.deadLetters > 0) {
    list.push({
      key: "dead-letters",
      tone: "bad",
      short: plural(overview.deadLetters, "dead letter"),
      what: `${plural(overview.deadLetters, "dead letter")} ${overview.deadLetters === 1 ? "waits" : "wait"}`,
      remedy: "Put the cause right, then replay.",
      to: { page: "dead-letters" },
    });
  }
  if (last?.state === "cancelled") {
    list.push({
      key: "cancelled",
      tone: "warn",
      short: "the last full sync was cancelled",
      what: "The last full sync was cancelled",
      remedy: "What it had not reached is as old as before. Start another when you are ready.",
      to: { page: "sync", syncId: last.syncId },
    });
  }
  if (last) {
    const { total, missing } = account(last.counts);
    const { rejected, conflict } = total;
    if (last.state === "completed_with_errors" && missing !== null && missing > 0) {
      list.push({
        key: "missing",
        tone: "bad",
        short: `${plural(missing, "record")} not read`,
        what: `${plural(missing, "record")} that the onboarding portal announced ${missing === 1 ? "was" : "were"} not read`,
        remedy: "Its page says what died on the way.",
        to: { page: "sync", syncId: last.syncId },
      });
    }
    if (rejected > 0) {
      list.push({
        key: "rejected",
        tone: "warn",
        short: plural(rejected, "rejected record"),
        what: `${plural(rejected, "record")} ${rejected === 1 ? "was" : "were"} rejected`,
        remedy: "Correct them in the onboarding portal; the sync's page names each field.",
        to: { page: "sync", syncId: last.syncId },
      });
    }
    if (conflict > 0) {
      list.push({
        key: "conflict",
        tone: "warn",
        short: plural(conflict, "conflict"),
        what: `${plural(conflict, "record")} lost against a newer edit in the maintenance portal`,
        remedy: "Nothing is gone: both sides are kept.",
        to: { page: "sync", syncId: last.syncId },
      });
    }
  }
  const since = troubledSince(overview, troubled);
  const [newest] = since;
  if (newest) {
    const when = last ? "since the last full sync" : "by approval";
    list.push({
      key: "since",
      tone: "warn",
      short: `${plural(since.length, "sync")} ${when} with errors`,
      what: `${plural(since.length, "sync")} ${when} ended with errors`,
      remedy: "Correct what was rejected in the onboarding portal; it then sends it again.",
      to:
        since.length === 1
          ? { page: "sync", syncId: newest.syncId }
          : { page: "syncs", state: "completed_with_errors" },
    });
  }
  return list;
}

/** The sentence that the overview opens with. */
export function verdict(overview: Overview, troubled: SyncSummary[]): Verdict {
  const full = overview.running.find((run) => run.mode === "full");
  if (full) return underWay(full);
  const vessels = overview.fleet.find((f) => f.recordType === "vessel")?.active ?? 0;
  const last = overview.lastFullSync;
  const wrong = needs(overview, troubled);
  if (wrong.length > 0) {
    const bad = wrong.some((need) => need.tone === "bad");
    return {
      tone: bad ? "bad" : "warn",
      sentence: `Not in step: ${wrong.map((need) => need.short).join(", ")}`,
      detail: "What to do about it stands below, the worst first.",
      ...figureOf(last),
    };
  }
  if (!last) {
    const by =
      "A full sync carries every approved vessel, its equipment and its users to the maintenance portal.";
    return vessels === 0
      ? { tone: "neutral", sentence: "Nothing has been synchronised yet", detail: by }
      : {
          tone: "neutral",
          sentence: "No full sync has run yet",
          detail: `${plural(vessels, "vessel")} came by approval alone. ${by}`,
        };
  }
  return {
    tone: "good",
    sentence: `In step: ${plural(vessels, "vessel")}`,
    detail: "Every record of the last full sync is accounted for.",
    ...figureOf(last),
  };
}

/** How many of a run's records are as the onboarding portal has them. */
function figureOf(run: SyncSummary | null | undefined): Pick<Verdict, "figure"> {
  // A run that was stopped has not seen them all.
  if (!run || !isWhole(run.state)) return {};
  const { total } = account(run.counts);
  const all = total.expected ?? total.read;
  if (all === 0) return {};
  const inStep = total.created + total.updated + total.unchanged + total.skipped;
  return {
    figure: {
      value: inStep === all ? count(all) : `${count(inStep)} of ${count(all)}`,
      unit: "records in step",
    },
  };
}
