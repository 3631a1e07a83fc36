// The figures of the analytics: what was counted, what was not, and the page's status line. A figure that was not counted,
// or not measured, is null and never 0.
import type { Analytics } from "../api/types";
import { formatCount, formatShare, plural } from "./numbers";
import type { Status } from "./status";
import { formatDuration } from "./times";

/** Outcomes that change a record or need a person, in the order of their stack. `unchanged` would hide all others. */
export const CHARTED_OUTCOMES = [
  { key: "created", word: "Created" },
  { key: "updated", word: "Updated" },
  { key: "deactivated", word: "Withdrawn" },
  { key: "skipped", word: "Skipped" },
  { key: "conflict", word: "Conflict" },
  { key: "rejected", word: "Rejected" },
] as const;
type Outcome = (typeof CHARTED_OUTCOMES)[number]["key"] | "unchanged";

/** How much of a window is counted. */
export type Coverage = "counted" | "partly" | "not_yet";

/** One window as a row of the charts and their tables. Times in ms. */
export interface WindowRow extends Record<Outcome, number | null> {
  startsAt: string;
  coverage: Coverage;
  lagCount: number | null;
  lagP50: number | null;
  lagP99: number | null;
  syncCount: number | null;
  syncP50: number | null;
  syncP99: number | null;
}

/** Syncs, records by outcome and attempts are of no single vessel: the service leaves them out of the figures of one. */
export const isOfVessel = (data: Analytics): boolean => data.total.syncs == null;

export function windowRows({ windows, to, countedUntil }: Analytics): WindowRow[] {
  const counted = countedUntil ? Date.parse(countedUntil) : Number.NEGATIVE_INFINITY;
  return windows.map(({ startsAt, records, approvalLag, syncDuration }, at) => {
    const coverage = coverageOf(Date.parse(startsAt), Date.parse(windows[at + 1]?.startsAt ?? to), counted);
    const known = <T>(value: T | null | undefined) => (coverage === "not_yet" ? null : (value ?? null));
    const ms = (seconds: number | undefined) => known(seconds === undefined ? null : seconds * 1000);
    return {
      startsAt,
      coverage,
      created: known(records?.created),
      updated: known(records?.updated),
      unchanged: known(records?.unchanged),
      conflict: known(records?.conflict),
      rejected: known(records?.rejected),
      skipped: known(records?.skipped),
      deactivated: known(records?.deactivated),
      lagCount: known(approvalLag?.count),
      lagP50: ms(approvalLag?.p50Seconds),
      lagP99: ms(approvalLag?.p99Seconds),
      syncCount: known(syncDuration?.count),
      syncP50: ms(syncDuration?.p50Seconds),
      syncP99: ms(syncDuration?.p99Seconds),
    };
  });
}

function coverageOf(start: number, end: number, counted: number): Coverage {
  if (counted <= start) return "not_yet";
  return counted < end ? "partly" : "counted";
}

export interface Headline {
  name: string;
  /** Null: there is no figure, for the reason in `note`. */
  value: string | null;
  note: string;
}

const NOT_BY_VESSEL = "Not counted by vessel";

/** The figures of the whole time. */
export function headlines(data: Analytics, isOfType: boolean): Headline[] {
  const { syncs, records, approvalLag: lag, failedAttempts } = data.total;
  const ofAllTypes = isOfType ? ", of all record types" : "";
  const judged = syncs && syncs.completed + syncs.completedWithErrors + syncs.failed;
  const changed = records && records.created + records.updated + records.deactivated;
  return [
    {
      name: "Success rate of syncs",
      value: syncs?.successRate == null ? null : formatShare(syncs.successRate),
      note:
        judged == null
          ? NOT_BY_VESSEL
          : judged === 0
            ? "No sync completed or failed"
            : `${plural(judged - (syncs?.failed ?? 0), "sync")} of ${formatCount(judged)} completed${ofAllTypes}`,
    },
    {
      name: "Records changed",
      value: changed == null ? null : formatCount(changed),
      note: records
        ? `${formatCount(records.created)} created, ${formatCount(records.updated)} updated, ${formatCount(records.deactivated)} withdrawn`
        : NOT_BY_VESSEL,
    },
    {
      name: "Records rejected",
      value: records ? formatCount(records.rejected) : null,
      note: records ? `${formatCount(records.conflict)} more in conflict` : NOT_BY_VESSEL,
    },
    {
      name: "Approval to row, half within",
      value: lag ? formatDuration(lag.p50Seconds * 1000) : null,
      note: lag
        ? `99 of 100 within ${formatDuration(lag.p99Seconds * 1000)}, of ${plural(lag.count, "approval")}`
        : "No approval was processed",
    },
    {
      name: "Failed attempts",
      value: failedAttempts == null ? null : formatCount(failedAttempts),
      note:
        failedAttempts == null
          ? NOT_BY_VESSEL
          : `${failedAttempts > 0 ? "Most succeed with the next attempt" : "No attempt failed"}${ofAllTypes}`,
    },
  ];
}

/** Whether anything of the time is counted at all. */
export const isCounted = ({ from, countedUntil }: Analytics): boolean =>
  countedUntil != null && Date.parse(countedUntil) > Date.parse(from);

/** Whether nothing happened in what is counted of the time. */
export function isEmpty({ total }: Analytics): boolean {
  const { syncs, records, approvalLag, syncDuration, findings, failedAttempts } = total;
  const counts = [
    ...Object.values(records ?? {}),
    syncs?.completed,
    syncs?.completedWithErrors,
    syncs?.failed,
    syncs?.cancelled,
    findings,
    failedAttempts,
  ];
  return !approvalLag && !syncDuration && counts.every((count) => !count);
}

export function analyticsStatus(data: Analytics): Status {
  const { syncs, approvalLag, findings } = data.total;
  if (!isCounted(data)) {
    return {
      tone: "neutral",
      headline: data.countedUntil ? "This time is not counted yet" : "Nothing is counted yet",
      detail: "The scheduler counts every half minute.",
    };
  }
  if (syncs == null) {
    const approvals = approvalLag?.count ?? 0;
    return {
      tone: "neutral",
      headline: `${plural(approvals, "approval")} of this vessel and its equipment processed`,
      detail: `${plural(findings, "finding")}.`,
    };
  }
  const complete = syncs.completed + syncs.completedWithErrors;
  const judged = complete + syncs.failed;
  if (judged === 0) {
    return {
      tone: "neutral",
      headline: "No sync completed or failed",
      detail: cancelledText(syncs.cancelled),
    };
  }
  const errors =
    syncs.completedWithErrors > 0
      ? `${formatCount(syncs.completedWithErrors)} of ${formatCount(complete)} completed with errors. `
      : "";
  return syncs.failed > 0
    ? {
        tone: "warn",
        headline: `${formatCount(syncs.failed)} of ${plural(judged, "sync")} failed`,
        detail: `${errors}${cancelledText(syncs.cancelled)}`,
      }
    : {
        tone: syncs.completedWithErrors > 0 ? "neutral" : "good",
        headline:
          judged === 1
            ? "The only sync completed"
            : `${formatCount(judged)} of ${formatCount(judged)} syncs completed`,
        detail: `${errors}${cancelledText(syncs.cancelled)}`,
      };
}

const cancelledText = (cancelled: number): string =>
  cancelled > 0
    ? `${plural(cancelled, "sync")} ${cancelled === 1 ? "was" : "were"} cancelled.`
    : "None was cancelled.";

/** Why there is no chart of the records by outcome; undefined where there is one. */
export function throughputMissing({ total }: Analytics): string | undefined {
  const { records, syncs } = total;
  if (!records) return "Not counted by vessel.";
  if (CHARTED_OUTCOMES.some(({ key }) => records[key] > 0)) return undefined;
  if (records.unchanged > 0)
    return `No record changed: all ${formatCount(records.unchanged)} that were read were unchanged.`;
  const ended = syncs ? syncs.completed + syncs.completedWithErrors + syncs.failed + syncs.cancelled : 0;
  return ended > 0 ? "The syncs that ended in this time read no records." : "No sync ended in this time.";
}

export const lagMissing = ({ total }: Analytics): string | undefined =>
  total.approvalLag ? undefined : "No approval was processed in this time.";
