import type { Finding } from "../api/types";
import { labelOf, recordTypeNames, SEVERITIES } from "../format/states";
import { CopyableId } from "./copyable-id";
import { RecordLink } from "./record-link";
import { StateBadge } from "./state-badge";
import { columnsOf } from "./table";
import text from "./text.module.css";
import { TwoLines } from "./two-lines";

const column = columnsOf<Finding>();

/** The columns of a list of findings, for `Table` and `LiveList`. */
export const findingColumns = [
  column.display({
    id: "record",
    header: "Record",
    cell: ({ row }) => <RecordName finding={row.original} />,
  }),
  column.display({
    id: "severity",
    header: "Finding",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(SEVERITIES, row.original.severity)} />,
  }),
  column.display({
    id: "field",
    header: "Field and value",
    meta: { narrow: "line" },
    cell: ({ row: { original: finding } }) => (
      <TwoLines second={finding.value != null && <code className={text.breakAnywhere}>{finding.value}</code>}>
        {finding.pointer ? <code>{finding.pointer}</code> : <span className={text.dim}>whole record</span>}
      </TwoLines>
    ),
  }),
  column.display({
    id: "reason",
    header: "Reason",
    meta: { narrow: "line" },
    cell: ({ row: { original: finding } }) => (
      <TwoLines second={<code>{finding.code}</code>}>
        <bdi className={text.sentence}>{finding.message}</bdi>
      </TwoLines>
    ),
  }),
];

function RecordName({ finding }: { finding: Finding }) {
  const { recordType, sourceId, label } = finding;
  const id = (
    <span className={text.oneLine}>
      {recordType} <CopyableId text={sourceId} name="record ID" />
    </span>
  );
  return (
    <TwoLines second={id}>
      <RecordLink recordType={recordType} sourceId={sourceId}>
        {label?.replace(/IMO (?=\d)/, "IMO\u00a0") ?? `Unnamed ${recordTypeNames(recordType).one}`}
      </RecordLink>
    </TwoLines>
  );
}

export const findingKey = (finding: Finding): string =>
  `${finding.recordType} ${finding.sourceId} ${finding.code} ${finding.pointer}`;
