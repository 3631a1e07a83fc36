import { Button } from "@mantine/core";
import { useState } from "react";
import type { FailureCount, FindingCount } from "../../api/types";
import { formatCount } from "../../format/numbers";
import { FAILURE_CLASSES, labelOf, recordTypeNames } from "../../format/states";
import { StateBadge } from "../../ui/state-badge";
import { columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";

const finding = columnsOf<FindingCount>();
const findingColumns = [
  finding.display({
    id: "code",
    header: "Code",
    meta: { rowHeader: true },
    cell: ({ row }) => <code className={text.breakAnywhere}>{row.original.code}</code>,
  }),
  finding.display({
    id: "recordType",
    header: "Records",
    cell: ({ row: { original } }) =>
      original.recordType ? recordTypeNames(original.recordType).many : <span className={text.dim}>any</span>,
  }),
  finding.display({
    id: "count",
    header: "Findings",
    meta: { figure: true },
    cell: ({ row }) => formatCount(row.original.count),
  }),
];

/** Rows that a table of findings has at first. */
const SHOWN_FIRST = 8;

/** Findings by code, the most frequent first. */
export function FindingCounts({ findings }: { findings: FindingCount[] }) {
  const [isWhole, setWhole] = useState(false);
  if (findings.length === 0) return <p className={text.dim}>No findings in this time.</p>;
  return (
    <div>
      <Table
        label="Findings by code"
        columns={findingColumns}
        data={isWhole ? findings : findings.slice(0, SHOWN_FIRST)}
        rowKey={({ code, recordType }) => `${code} ${recordType}`}
        compact
      />
      {findings.length > SHOWN_FIRST && !isWhole && (
        <Button variant="subtle" size="xs" onClick={() => setWhole(true)}>
          Show all {formatCount(findings.length)}
        </Button>
      )}
    </div>
  );
}

const failure = columnsOf<FailureCount>();
const failureColumns = [
  failure.display({
    id: "class",
    header: "Failure class",
    meta: { rowHeader: true },
    cell: ({ row }) => <StateBadge label={labelOf(FAILURE_CLASSES, row.original.class)} />,
  }),
  failure.display({
    id: "count",
    header: "Attempts",
    meta: { figure: true },
    cell: ({ row }) => formatCount(row.original.count),
  }),
];

/** Failed attempts by class. `isCounted`: attempts are of no single vessel. */
export function FailureCounts({ failures, isCounted }: { failures: FailureCount[]; isCounted: boolean }) {
  if (!isCounted) return <p className={text.dim}>Not counted by vessel.</p>;
  if (failures.length === 0) return <p className={text.dim}>No attempt failed in this time.</p>;
  return (
    <div>
      <Table
        label="Failed attempts by class"
        columns={failureColumns}
        data={failures}
        rowKey={(row) => row.class}
        compact
      />
    </div>
  );
}
