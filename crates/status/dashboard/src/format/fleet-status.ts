// The answer to "is the fleet in sync?" as a status line, and the items that need attention.
import type { Attention, Overview, PartHealth, SyncSummary, ValidationReport } from "../api/types";
import { capitalize } from "./capitalize";
import { formatCount, plural } from "./numbers";
import { isComplete, notReadText, type Tone } from "./states";
import type { Status } from "./status";
import { fullSyncProgress, syncListStatus } from "./sync";
import { tallyOf, unreachedTypes } from "./tally";

export interface AttentionItem {
  key: string;
  /** The server's code for it. */
  code: string;
  tone: Tone;
  /** The item as the status line names it: `2 dead letters`. */
  short: string;
  title: string;
  remedy: string;
  to:
    | { page: "sync"; syncId: string }
    | { page: "dead-letters" }
    | { page: "data-quality" }
    | { page: "conflicts" }
    | { page: "schedules" }
    | null;
}

/** What needs attention, worst first. */
export function attentionItems(overview: Overview, report: ValidationReport): AttentionItem[] {
  const last = overview.lastFullSync;
  const items = [
    ...healthItems(overview),
    last && failedItem(last),
    ...(last ? unreachedItems(last) : []),
    deadLetterItem(overview),
    last && unreadItem(last),
    last && cancelledItem(last),
    rejectedItem(report),
    last && missingItem(last),
    conflictItem(overview),
  ].filter((item) => item != null);
  const codes = new Set(items.map((item) => item.code));
  const others = (overview.attention ?? []).filter(({ code }) => !codes.has(code)).map(serverItem);
  const all = [...items, ...others];
  return [...all.filter(({ tone }) => tone === "bad"), ...all.filter(({ tone }) => tone !== "bad")];
}

/** What the server reports in its own words, and this dashboard has no text for. */
function serverItem({ code, message, urgency, syncId }: Attention): AttentionItem {
  const isOfSchedule = code === "missed_ticks";
  return {
    key: `server-${code}-${message}`,
    code,
    tone: urgency === "warning" ? "warn" : "bad",
    short: decapitalize(message),
    title: message,
    remedy: SERVER_ITEM_REMEDIES[code] ?? "",
    to: isOfSchedule ? { page: "schedules" } : syncId ? { page: "sync", syncId } : null,
  };
}

const SERVER_ITEM_REMEDIES: Partial<Record<string, string>> = {
  dead_tasks: "Fix the cause, then replay their dead letters or retry the sync.",
  missed_ticks: "The scheduler was not running, or a sync was still open. Start a full sync to catch up.",
};

const toSync = (sync: SyncSummary) => ({ page: "sync" as const, syncId: sync.syncId });

const healthItems = (overview: Overview): AttentionItem[] =>
  overview.health
    .filter((part) => !part.ok)
    .map((part) => {
      const text = HEALTH_TEXTS[isRefusing(part) ? "refusing" : "silent"];
      const detail = part.detail ? `${capitalize(part.detail.replace(/\.$/, ""))}. ` : "";
      return {
        key: `health-${part.name}`,
        code: "health",
        tone: "bad",
        short: `the ${part.name} ${text.short}`,
        title: `The ${part.name} ${text.short}`,
        remedy: `${detail}${text.remedy(part.name)}`,
        to: null,
      };
    });

/** The system answers, and its last answer was that it will not do what it was asked for. */
export const isRefusing = (part: PartHealth): boolean => !part.ok && part.lastOutcome?.class === "permanent";

const HEALTH_TEXTS = {
  silent: {
    short: "is not responding",
    remedy: (name: string) => `Pending work is kept and continues when the ${name} is back.`,
  },
  refusing: {
    short: "refuses requests",
    remedy: () =>
      "Check the address and the API key: the settings have a connection test. Work that was refused is a dead letter: replay it afterwards.",
  },
};

function failedItem(last: SyncSummary): AttentionItem | null {
  if (last.state !== "failed") return null;
  return {
    key: "failed",
    code: "sync_failed",
    tone: "bad",
    short: "the last full sync failed",
    title: "The last full sync failed",
    remedy: last.failure ?? "See the sync for the cause.",
    to: toSync(last),
  };
}

/** Record types that the last full sync left out: nothing is known about their present state. */
const unreachedItems = (last: SyncSummary): AttentionItem[] =>
  unreachedTypes(last).map((type) => ({
    key: `unreached-${type}`,
    code: "type_not_read",
    tone: "bad",
    short: decapitalize(notReadText(type)),
    title: notReadText(type),
    remedy:
      "The last full sync ended before it came to them. Resume it, replay its dead letters, or start another.",
    to: toSync(last),
  }));

const decapitalize = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function deadLetterItem({ deadLetters }: Overview): AttentionItem | null {
  if (deadLetters === 0) return null;
  const letters = plural(deadLetters, "dead letter");
  return {
    key: "dead-letters",
    code: "dead_letters",
    tone: "bad",
    short: letters,
    title: `${letters} waiting`,
    remedy: "Fix the cause, then replay.",
    to: { page: "dead-letters" },
  };
}

function unreadItem(last: SyncSummary): AttentionItem | null {
  const { unread } = tallyOf(last.counts);
  if (last.state !== "completed_with_errors" || !unread) return null;
  return {
    key: "unread",
    code: "records_not_read",
    tone: "bad",
    short: `${plural(unread, "record")} not read`,
    title: `${plural(unread, "expected record")} ${unread === 1 ? "was" : "were"} not read`,
    remedy: "See the sync for the tasks that failed.",
    to: toSync(last),
  };
}

function cancelledItem(last: SyncSummary): AttentionItem | null {
  if (last.state !== "cancelled") return null;
  return {
    key: "cancelled",
    code: "sync_cancelled",
    tone: "warn",
    short: "the last full sync was cancelled",
    title: "The last full sync was cancelled",
    remedy: "Records that it had not reached were not updated. Resume it, or start another full sync.",
    to: toSync(last),
  };
}

function rejectedItem(report: ValidationReport): AttentionItem | null {
  const rejected = rejectedRecords(report);
  if (rejected === 0) return null;
  return {
    key: "rejected",
    code: "rejected_records",
    tone: "warn",
    short: plural(rejected, "rejected record"),
    title: `${plural(rejected, "record")} ${rejected === 1 ? "is" : "are"} rejected`,
    remedy: `${namesOfRejected(report, rejected)}Correct them in the onboarding portal. It then sends them again.`,
    to: { page: "data-quality" },
  };
}

function missingItem(last: SyncSummary): AttentionItem | null {
  if (last.missingRecords !== "asks") return null;
  const { missing } = tallyOf(last.counts).total;
  return {
    key: "missing",
    code: "missing_records",
    tone: "warn",
    short: plural(missing, "missing record"),
    title: `${plural(missing, "record")} ${missing === 1 ? "is" : "are"} no longer in the onboarding portal`,
    remedy: "Too many or too critical to deactivate automatically: an operator decides.",
    to: toSync(last),
  };
}

/** Conflicts that are open now, whichever sync found them. */
function conflictItem({ openConflicts = 0 }: Overview): AttentionItem | null {
  if (openConflicts === 0) return null;
  return {
    key: "conflict",
    code: "open_conflicts",
    tone: "warn",
    short: plural(openConflicts, "open conflict"),
    title: `${plural(openConflicts, "conflict")} ${openConflicts === 1 ? "is" : "are"} open`,
    remedy:
      "The portals disagree about these records: changed in both, withdrawn in one, or two with one code. An operator decides.",
    to: { page: "conflicts" },
  };
}

/** Whether anything has been synced: an empty system is no evidence that all is well. */
export const hasSynced = (overview: Overview): boolean =>
  overview.lastFullSync != null || overview.fleet.some((count) => count.active > 0);

/** The status line of the overview. */
export function fleetStatus(overview: Overview, report: ValidationReport): Status {
  const running = overview.running.find((sync) => sync.mode === "full");
  if (running) return fullSyncProgress(running);
  const items = attentionItems(overview, report);
  if (items.length > 0) {
    return {
      tone: items.some((item) => item.tone === "bad") ? "bad" : "warn",
      headline: `Out of sync: ${items.map((item) => item.short).join(", ")}`,
      detail: "See below what needs attention.",
      ...activeRecordsFigure(overview),
    };
  }
  const vessels = overview.fleet.find((count) => count.recordType === "vessel")?.active;
  const last = overview.lastFullSync;
  if (!last) return neverSyncedStatus(vessels ?? 0);
  if (!isComplete(last.state)) {
    return {
      tone: "neutral",
      headline: syncListStatus(overview).headline,
      detail: "It is not known whether the fleet is in sync.",
    };
  }
  if (tallyOf(last.counts).total.read === 0 && !overview.fleet.some((count) => count.active > 0)) {
    return {
      tone: "neutral",
      headline: "No records in either portal",
      detail: "The last full sync found no approved record in the onboarding portal.",
    };
  }
  return {
    tone: "good",
    headline: vessels === undefined ? "In sync" : `In sync: ${plural(vessels, "vessel")}`,
    detail: "All records of the last full sync are accounted for.",
    ...activeRecordsFigure(overview),
  };
}

function neverSyncedStatus(vessels: number): Status {
  const purpose =
    "A full sync copies all approved companies, vessels, equipment and users to the maintenance portal.";
  return vessels === 0
    ? { tone: "neutral", headline: "Nothing has been synced yet", detail: purpose }
    : {
        tone: "neutral",
        headline: "No full sync yet",
        detail: `${plural(vessels, "vessel")} came by webhook. ${purpose}`,
      };
}

function activeRecordsFigure(overview: Overview): Pick<Status, "figure"> {
  const active = overview.fleet.reduce((total, count) => total + count.active, 0);
  return active > 0 ? { figure: { value: formatCount(active), unit: "active records" } } : {};
}

/** How many records are rejected now, whichever sync rejected them. */
export const rejectedRecords = (report: ValidationReport): number =>
  report.records.reduce((total, row) => total + row.withErrors, 0);

const NAMED_RECORDS_LIMIT = 3;

/** `MV Nordic Grace, MV Orion and 3 more. `; empty when no rejected record has a name. */
function namesOfRejected(report: ValidationReport, rejected: number): string {
  const errors = report.findings.filter((finding) => finding.severity === "error" && finding.label);
  const labels = [...new Set(errors.map((finding) => finding.label))].slice(0, NAMED_RECORDS_LIMIT);
  if (labels.length === 0) return "";
  const others = rejected - labels.length;
  return `${labels.join(", ")}${others > 0 ? ` and ${formatCount(others)} more` : ""}. `;
}
