// The answer to "is the fleet in step?" in one sentence and one figure, and what needs a person.
import type { Overview, ValidationReport } from "../api/types";
import { capital } from "./capitalize";
import { count, plural } from "./numbers";
import type { Tone } from "./states";
import { underWay, type Verdict } from "./sync";
import { account } from "./tally";

export interface Need {
  key: string;
  tone: Tone;
  /** As the verdict names it, in passing: `2 dead letters`. */
  short: string;
  what: string;
  remedy: string;
  to: { page: "sync"; syncId: string } | { page: "dead-letters" } | { page: "records" } | null;
}

/** What needs a person, worst first; empty when nothing does. `standing`: what stands about records now. */
export function needs(overview: Overview, standing: ValidationReport): Need[] {
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
  const rejected = rejectedNow(standing);
  if (rejected > 0) {
    list.push({
      key: "rejected",
      tone: "warn",
      short: plural(rejected, "rejected record"),
      what: `${plural(rejected, "record")} ${rejected === 1 ? "is" : "are"} rejected`,
      remedy: `${named(standing, rejected)}Correct them in the onboarding portal; it then sends them again.`,
      to: { page: "records" },
    });
  }
  if (last) {
    const { total, unread } = account(last.counts);
    const { conflict, gone } = total;
    if (last.state === "completed_with_errors" && unread !== null && unread > 0) {
      list.push({
        key: "unread",
        tone: "bad",
        short: `${plural(unread, "record")} not read`,
        what: `${plural(unread, "record")} that the onboarding portal announced ${unread === 1 ? "was" : "were"} not read`,
        remedy: "Its page says what died on the way.",
        to: { page: "sync", syncId: last.syncId },
      });
    }
    if (last.missingRecords === "asks") {
      list.push({
        key: "asks",
        tone: "warn",
        short: `${plural(gone, "record")} to decide about`,
        what: `${plural(gone, "record")} ${gone === 1 ? "is" : "are"} not listed by the onboarding portal any more`,
        remedy: "They are too many, or too important, to be deactivated without a person's word.",
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
  return list;
}

/** The sentence that the overview opens with. */
export function verdict(overview: Overview, standing: ValidationReport): Verdict {
  const full = overview.running.find((run) => run.mode === "full");
  if (full) return underWay(full);
  const vessels = overview.fleet.find((f) => f.recordType === "vessel")?.active ?? 0;
  const last = overview.lastFullSync;
  const wrong = needs(overview, standing);
  if (wrong.length > 0) {
    const bad = wrong.some((need) => need.tone === "bad");
    return {
      tone: bad ? "bad" : "warn",
      sentence: `Not in step: ${wrong.map((need) => need.short).join(", ")}`,
      detail: "What to do about it stands below, the worst first.",
      ...figureOf(overview),
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
    ...figureOf(overview),
  };
}

/** How many records the maintenance portal has. */
function figureOf(overview: Overview): Pick<Verdict, "figure"> {
  const active = overview.fleet.reduce((n, kind) => n + kind.active, 0);
  return active > 0 ? { figure: { value: count(active), unit: "active records" } } : {};
}

/** Records whose last state was rejected, and has not been mended since. */
export const rejectedNow = (standing: ValidationReport): number =>
  standing.records.reduce((n, kind) => n + kind.withErrors, 0);

const NAMED = 3;

/** The first of the rejected by their names, as far as they have any. */
function named(standing: ValidationReport, rejected: number): string {
  const errors = standing.findings.filter((finding) => finding.severity === "error" && finding.label);
  const labels = [...new Set(errors.map((finding) => finding.label))].slice(0, NAMED);
  if (labels.length === 0) return "";
  const more = rejected - labels.length;
  return `${labels.join(", ")}${more > 0 ? ` and ${count(more)} more` : ""}. `;
}
