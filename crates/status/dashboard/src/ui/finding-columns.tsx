import type { Finding } from "../api/types";
import { labelOf, RECORD_TYPES, SEVERITIES } from "../format/states";
import { CopyableId } from "./copyable-id";
import { StateBadge } from "./state-badge";
import type { Column } from "./table";

/** The columns of a list of findings, for `Table` and `LiveList`. */
export const findingColumns: Column<Finding>[] = [
  {
    key: "record",
    header: "Record",
    cell: (finding) => (
      <span className="two-lines">
        <span className="strong">
          {finding.label?.replace(/IMO (?=\d)/, "IMO\u00a0") ??
            `Unnamed ${RECORD_TYPES[finding.recordType].one}`}
        </span>
        <span className="dim one-line">
          {finding.recordType} <CopyableId text={finding.sourceId} name="record ID" />
        </span>
      </span>
    ),
  },
  {
    key: "severity",
    header: "Finding",
    narrow: "beside",
    cell: (finding) => <StateBadge label={labelOf(SEVERITIES, finding.severity)} />,
  },
  {
    key: "field",
    header: "Field and value",
    narrow: "line",
    cell: (finding) => (
      <span className="two-lines">
        {finding.pointer ? <code>{finding.pointer}</code> : <span className="dim">whole record</span>}
        {finding.value != null && <code className="value-text">{finding.value}</code>}
      </span>
    ),
  },
  {
    key: "reason",
    header: "Reason",
    narrow: "line",
    cell: (finding) => (
      <span className="two-lines">
        <span className="first-up">{finding.message}</span>
        <code className="dim">{finding.code}</code>
      </span>
    ),
  },
];

export const findingKey = (finding: Finding): string =>
  `${finding.recordType} ${finding.sourceId} ${finding.code} ${finding.pointer}`;
