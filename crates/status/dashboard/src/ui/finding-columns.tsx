import type { Finding } from "../api/types";
import { labelOf, RECORD_TYPES, SEVERITIES } from "../format/states";
import { CopyableId } from "./copyable-id";
import { StateBadge } from "./state-badge";
import type { Column } from "./table";
import text from "./text.module.css";
import { TwoLines } from "./two-lines";

/** The columns of a list of findings, for `Table` and `LiveList`. */
export const findingColumns: Column<Finding>[] = [
  {
    key: "record",
    header: "Record",
    cell: (finding) => (
      <TwoLines
        second={
          <span className={text.oneLine}>
            {finding.recordType} <CopyableId text={finding.sourceId} name="record ID" />
          </span>
        }
      >
        <span className={text.strong}>
          {finding.label?.replace(/IMO (?=\d)/, "IMO\u00a0") ??
            `Unnamed ${RECORD_TYPES[finding.recordType].one}`}
        </span>
      </TwoLines>
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
      <TwoLines>
        {finding.pointer ? <code>{finding.pointer}</code> : <span className={text.dim}>whole record</span>}
        {finding.value != null && <code className={text.breakAnywhere}>{finding.value}</code>}
      </TwoLines>
    ),
  },
  {
    key: "reason",
    header: "Reason",
    narrow: "line",
    cell: (finding) => (
      <TwoLines second={<code>{finding.code}</code>}>
        <span className={text.sentence}>{finding.message}</span>
      </TwoLines>
    ),
  },
];

export const findingKey = (finding: Finding): string =>
  `${finding.recordType} ${finding.sourceId} ${finding.code} ${finding.pointer}`;
