// The answer to "is the fleet in step?" in one sentence, and what needs a person.
import type { Overview } from "../api/types";
import { account } from "./accounts";
import { count, percent, plural } from "./numbers";
import type { Tone } from "./states";

export interface Verdict {
  tone: Tone;
  sentence: string;
  detail: string;
}

export interface Need {
  key: string;
  tone: Tone;
  what: string;
  remedy: string;
  to: { page: "sync"; syncId: string } | { page: "dead-letters" } | { page: "settings" } | null;
}

/** What needs a person, worst first; empty when nothing does. */
export function needs(overview: Overview): Need[] {
  const list: Need[] = [];
  for (const part of overview.health.filter((p) => !p.ok)) {
    list.push({
      key: `health-${part.name}`,
      tone: "bad",
      what: `The ${part.name} does not answer`,
      remedy: part.detail ?? "Work is kept and goes on by itself when it is back.",
      to: null,
    });
  }
  const last = overview.lastFullSync;
  if (last?.state === "failed") {
    list.push({
      key: "failed",
      tone: "bad",
      what: "The last full sync failed",
      remedy: last.failure ?? "Its page says why.",
      to: { page: "sync", syncId: last.syncId },
    });
  }
  if (last?.state === "cancelled") {
    list.push({
      key: "cancelled",
      tone: "warn",
      what: "The last full sync was cancelled",
      remedy: "What it had not reached is as old as before. Start another when you are ready.",
      to: { page: "sync", syncId: last.syncId },
    });
  }
  if (overview.deadLetters > 0) {
    list.push({
      key: "dead-letters",
      tone: "bad",
      what: `${plural(overview.deadLetters, "dead letter")} ${overview.deadLetters === 1 ? "waits" : "wait"}`,
      remedy: "Put the cause right, then replay.",
      to: { page: "dead-letters" },
    });
  }
  if (last) {
    const { rejected, conflict } = account(last.counts).total;
    if (rejected > 0) {
      list.push({
        key: "rejected",
        tone: "warn",
        what: `${plural(rejected, "record")} ${rejected === 1 ? "was" : "were"} rejected`,
        remedy: "Correct them in the onboarding portal; its page names each field.",
        to: { page: "sync", syncId: last.syncId },
      });
    }
    if (conflict > 0) {
      list.push({
        key: "conflict",
        tone: "warn",
        what: `${plural(conflict, "record")} in conflict with an edit in the maintenance portal`,
        remedy: "Both sides are kept.",
        to: { page: "sync", syncId: last.syncId },
      });
    }
  }
  return list;
}

export function verdict(overview: Overview): Verdict {
  const full = overview.running.find((run) => run.mode === "full");
  if (full) {
    const { total } = account(full.counts);
    const share = percent(total.read, total.expected);
    return {
      tone: "info",
      sentence:
        full.state === "retrying" ? "A full sync waits for its next attempt" : "A full sync is under way",
      detail:
        total.expected === null
          ? `${plural(total.read, "record")} read so far.`
          : `${count(total.read)} of ${count(total.expected)} records read (${share} %).`,
    };
  }
  const vessels = overview.fleet.find((f) => f.recordType === "vessel")?.active ?? 0;
  const wrong = needs(overview);
  const worst = wrong[0];
  if (worst) {
    const parts = wrong.map((need) => need.what.charAt(0).toLowerCase() + need.what.slice(1));
    const bad = wrong.some((need) => need.tone === "bad");
    return {
      tone: bad ? "bad" : "warn",
      sentence: "Not in step",
      detail: `${parts.join(", ").replace(/^./, (c) => c.toUpperCase())}.`,
    };
  }
  if (!overview.lastFullSync) {
    return {
      tone: "neutral",
      sentence: "Nothing has been synchronised yet",
      detail:
        "A full sync carries every approved vessel, its equipment and its users to the maintenance portal.",
    };
  }
  return {
    tone: "good",
    sentence: `In step: ${plural(vessels, "vessel")}`,
    detail: "Every record is accounted for.",
  };
}
