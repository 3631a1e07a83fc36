// A sync's tally: records read = the sum of their outcomes, per record type and in total. In a completed sync the number
// read is also the number expected, except for records that changed meanwhile.
import type { FleetCount, RecordCounts, RecordType, SyncSummary } from "../api/types";
import { isOpen, RECORD_TYPE_ORDER, recordTypePlace } from "./states";

type SummedField = "read" | "created" | "updated" | "unchanged" | "conflict" | "rejected" | "skipped";

export interface Tally {
  rows: RecordCounts[];
  total: Pick<RecordCounts, SummedField> & {
    expected: number | null;
    /** Records in the maintenance portal that the onboarding portal no longer lists; not part of `read`. */
    missing: number;
    /** Missing records that the sync deactivated. */
    deactivated: number;
    /** Read records that changed after the provider had counted them. */
    late: number;
  };
  /** In every row, `read` is the sum of the outcomes. */
  balanced: boolean;
  /** Record types of which no page was read. */
  unreached: RecordType[];
  /** Expected records that were not read; null until the provider has reported a count. */
  unread: number | null;
  /** Read records that are neither expected nor late; null until the provider has reported its counts. */
  unexpected: number | null;
}

export const outcomeSum = (c: Tally["total"] | RecordCounts): number =>
  c.created + c.updated + c.unchanged + c.conflict + c.rejected + c.skipped;

export function tallyOf(counts: RecordCounts[]): Tally {
  const rows = [...counts].sort((a, b) => recordTypePlace(a.recordType) - recordTypePlace(b.recordType));
  const sum = (field: SummedField | "missing" | "deactivated" | "late") =>
    rows.reduce((total, row) => total + (row[field] ?? 0), 0);
  const sumOfPositive = (value: (row: RecordCounts) => number) =>
    rows.reduce((total, row) => total + Math.max(0, value(row)), 0);
  const isExpectedKnown = rows.length > 0 && rows.every((row) => row.expected != null);
  const expected = isExpectedKnown ? rows.reduce((total, row) => total + (row.expected ?? 0), 0) : null;
  return {
    rows,
    total: {
      expected,
      read: sum("read"),
      created: sum("created"),
      updated: sum("updated"),
      unchanged: sum("unchanged"),
      conflict: sum("conflict"),
      rejected: sum("rejected"),
      skipped: sum("skipped"),
      missing: sum("missing"),
      deactivated: sum("deactivated"),
      late: sum("late"),
    },
    balanced: rows.every((row) => row.read === outcomeSum(row)),
    unreached: rows.filter((row) => !row.reached).map((row) => row.recordType),
    unread: rows.some((row) => row.expected != null)
      ? sumOfPositive((row) => (row.expected ?? 0) - row.read)
      : null,
    unexpected: isExpectedKnown
      ? sumOfPositive((row) => row.read - (row.expected ?? 0) - (row.late ?? 0))
      : null,
  };
}

/**
 * How many records a sync will read in total; null while unknown. A full sync learns the number of each record type only
 * when it comes to that type.
 */
export function expectedRecords(sync: SyncSummary): number | null {
  const { rows, total } = tallyOf(sync.counts);
  const areAllTypesKnown =
    sync.mode !== "full" || RECORD_TYPE_ORDER.every((type) => rows.some((row) => row.recordType === type));
  return areAllTypesKnown ? total.expected : null;
}

/**
 * The same while it is unknown, as an estimate: a full sync reads about as many records of a type as are here already.
 * Null where a type has nothing here to estimate from, as in the first sync of all: none here is not none to read.
 */
export function estimatedRecords(sync: SyncSummary, fleet: FleetCount[]): number | null {
  if (sync.mode !== "full") return null;
  const estimates = RECORD_TYPE_ORDER.map(
    (type) =>
      sync.counts.find(({ recordType }) => recordType === type)?.expected ??
      (fleet.find(({ recordType }) => recordType === type)?.active || null),
  );
  return estimates.reduce<number | null>(
    (sum, estimate) => (sum === null || estimate === null ? null : sum + estimate),
    0,
  );
}

/** Record types that a sync has left out: it ended without a page of them. */
export const unreachedTypes = (sync: SyncSummary): RecordType[] =>
  isOpen(sync.state) || sync.state === "completed" ? [] : tallyOf(sync.counts).unreached;
