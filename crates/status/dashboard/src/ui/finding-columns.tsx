import type { Finding } from "../api/types";
import { capital } from "../format/capitalize";
import { look, RECORD_TYPES, SEVERITIES } from "../format/states";
import { Badge } from "./badge";
import { Copy } from "./copyable-id";
import type { Column } from "./table";

/** Which record, which field with which value, and why. */
export const FINDING_COLUMNS: Column<Finding>[] = [
  {
    key: "record",
    header: "Record",
    cell: (finding) => (
      <span className="two-lines">
        <span className="strong">
          {finding.label?.replace(/IMO (?=\d)/, "IMO\u00a0") ??
            `${capital(RECORD_TYPES[finding.recordType].one)} without a name`}
        </span>
        <span className="dim one-line">
          {finding.recordType} <Copy text={finding.sourceId} what="record id" />
        </span>
      </span>
    ),
  },
  {
    key: "severity",
    header: "Finding",
    narrow: "beside",
    cell: (finding) => <Badge look={look(SEVERITIES, finding.severity)} />,
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
