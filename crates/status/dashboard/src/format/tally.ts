// The account of a run: read is the sum of the outcomes, and when the run is green it is what was announced, but for what
// changed meanwhile.
import type { RecordCounts, SyncSummary } from "../api/types";
import { RECORD_TYPE_ORDER as ORDER } from "./states";

type Summed = "read" | "created" | "updated" | "unchanged" | "conflict" | "rejected" | "skipped";

export interface Account {
  rows: RecordCounts[];
  total: Pick<RecordCounts, Summed> & {
    expected: number | null;
    /** Here, and not listed any more; not part of what was read. */
    gone: number;
    /** Of these, those that were withdrawn for it. */
    deactivated: number;
    /** Of what was read, that which had changed since the provider counted. */
    late: number;
  };
  /** Read equals the sum of the outcomes, in every row. */
  sums: boolean;
  /** Records that the provider announced and that were not read; null while it has not said. */
  unread: number | null;
  /** Records that were read and neither announced nor late; null while the provider has not said. */
  unannounced: number | null;
}

export const sumOfOutcomes = (c: Account["total"] | RecordCounts): number =>
  c.created + c.updated + c.unchanged + c.conflict + c.rejected + c.skipped;

export function account(counts: RecordCounts[]): Account {
  const rows = [...counts].sort((a, b) => ORDER.indexOf(a.recordType) - ORDER.indexOf(b.recordType));
  const add = (key: Summed | "missing" | "deactivated" | "late") =>
    rows.reduce((n, row) => n + (row[key] ?? 0), 0);
  const known = rows.length > 0 && rows.every((row) => row.expected != null);
  const expected = known ? rows.reduce((n, row) => n + (row.expected ?? 0), 0) : null;
  const read = add("read");
  const beyond = (of: (row: RecordCounts) => number) => rows.reduce((n, row) => n + Math.max(0, of(row)), 0);
  return {
    rows,
    total: {
      expected,
      read,
      created: add("created"),
      updated: add("updated"),
      unchanged: add("unchanged"),
      conflict: add("conflict"),
      rejected: add("rejected"),
      skipped: add("skipped"),
      gone: add("missing"),
      deactivated: add("deactivated"),
      late: add("late"),
    },
    sums: rows.every((row) => row.read === sumOfOutcomes(row)),
    unread: expected === null ? null : beyond((row) => (row.expected ?? 0) - row.read),
    unannounced: expected === null ? null : beyond((row) => row.read - (row.expected ?? 0) - (row.late ?? 0)),
  };
}

/**
 * How many records a run will read in all; null as long as it is not known. A full sync reads every kind, and hears how
 * many there are of each only when it comes to it.
 */
export function announced(run: SyncSummary): number | null {
  const { rows, total } = account(run.counts);
  const all = run.mode !== "full" || ORDER.every((type) => rows.some((row) => row.recordType === type));
  return all ? total.expected : null;
}
