// The vessels of the fleet with what is wrong with each, worst first.
import type { Conflict, Finding, FleetRecord, List } from "../api/types";

export interface VesselRow {
  vessel: FleetRecord;
  /** Numbers of what concerns the vessel itself; null where the list that was fetched does not reach so far. */
  errors: number | null;
  warnings: number | null;
  conflicts: number | null;
}

/** A list of which a request brings the first entries. */
type Head<T> = Pick<List<T>, "data" | "pagination">;

export function vesselRows(lists: {
  vessels: Head<FleetRecord>;
  rejected: Head<FleetRecord>;
  findings: Head<Finding>;
  conflicts: Head<Conflict>;
}): VesselRow[] {
  const { vessels, rejected, findings, conflicts } = lists;
  const known = new Map([...vessels.data, ...rejected.data].map((vessel) => [vessel.sourceId, vessel]));
  const errors = countBySource(findings, ({ severity }) => severity === "error");
  const warnings = countBySource(findings, ({ severity }) => severity !== "error");
  const open = countBySource(conflicts, () => true);
  const rows = [...known.values()].map(
    (vessel): VesselRow => ({
      vessel,
      errors: errors(vessel.sourceId),
      warnings: warnings(vessel.sourceId),
      conflicts: open(vessel.sourceId),
    }),
  );
  return rows.sort(
    (a, b) =>
      urgencyOf(a) - urgencyOf(b) ||
      (b.vessel.versionAt ?? "").localeCompare(a.vessel.versionAt ?? "") ||
      (a.vessel.name ?? "").localeCompare(b.vessel.name ?? ""),
  );
}

/** How many entries of a list are about a record. None in a part of a list is not none in the list. */
function countBySource<T extends { sourceId: string }>(
  { data, pagination }: Head<T>,
  counts: (entry: T) => boolean,
): (sourceId: string) => number | null {
  const numbers = new Map<string, number>();
  for (const entry of data.filter(counts))
    numbers.set(entry.sourceId, (numbers.get(entry.sourceId) ?? 0) + 1);
  const isWhole = data.length >= pagination.total;
  return (sourceId) => numbers.get(sourceId) ?? (isWhole ? 0 : null);
}

const urgencyOf = ({ vessel, conflicts, warnings }: VesselRow): number => {
  if (vessel.standing === "rejected") return 0;
  if (conflicts) return 1;
  if (warnings) return 2;
  return vessel.standing === "withdrawn" ? 4 : 3;
};
