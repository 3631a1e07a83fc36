import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { isRecordType } from "../../format/states";
import type { CellLink } from "../../ui/tally-table";

/** A number of the record counts as a link to its records, where the service can list them. */
export function recordsLink(
  syncId: string,
  dryRun: boolean,
  { outcome, recordType, children }: Parameters<CellLink>[0],
): ReactNode {
  const type = recordType && isRecordType(recordType) ? recordType : undefined;
  if (outcome === "rejected") {
    return (
      <Link
        to="/syncs/$syncId"
        params={{ syncId }}
        search={{ type, severity: "error" }}
        hash="findings"
        resetScroll={false}
      >
        {children}
      </Link>
    );
  }
  if (outcome === "unchanged" || outcome === "skipped") return children;
  // What a sync left undecided is decided where all conflicts are.
  if (dryRun || outcome !== "conflict") {
    return (
      <Link
        to="/syncs/$syncId"
        params={{ syncId }}
        search={{ type, outcome }}
        hash="changes"
        resetScroll={false}
      >
        {children}
      </Link>
    );
  }
  return (
    <Link to="/conflicts" search={{ syncId, recordType: type }}>
      {children}
    </Link>
  );
}
