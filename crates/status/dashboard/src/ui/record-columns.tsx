import { Link } from "@tanstack/react-router";
import type { FleetRecord, RecordType } from "../api/types";
import { recordName } from "../format/records";
import { labelOf, RECORD_STANDINGS } from "../format/states";
import { CopyableId } from "./copyable-id";
import { NamedRecordLink } from "./record-link";
import { StateBadge } from "./state-badge";
import { columnsOf, rowLink } from "./table";
import text from "./text.module.css";
import { Time } from "./time";

const column = columnsOf<FleetRecord>();

const record = column.display({
  id: "record",
  header: "Record",
  cell: ({ row: { original } }) => (
    <Link
      to="/records/$recordType/$sourceId"
      params={{ recordType: original.recordType, sourceId: original.sourceId }}
      {...rowLink}
    >
      <bdi>{recordName(original)}</bdi>
    </Link>
  ),
});
const standing = column.display({
  id: "standing",
  header: "State",
  meta: { narrow: "beside" },
  cell: ({ row }) => <StateBadge label={labelOf(RECORD_STANDINGS, row.original.standing)} />,
});
/** The record to which it belongs, where it is known. */
const owner = (header: string, recordType: RecordType, id: (row: FleetRecord) => string | null | undefined) =>
  column.display({
    id: recordType,
    header,
    cell: ({ row: { original } }) => {
      const sourceId = id(original);
      return sourceId ? (
        <span className={text.aboveRow}>
          <NamedRecordLink recordType={recordType} sourceId={sourceId} />
        </span>
      ) : (
        <span className={text.dim}>unknown</span>
      );
    },
  });
const timesAndId = [
  column.display({
    id: "changed",
    header: "Changed",
    cell: ({ row: { original } }) => <KnownTime iso={original.versionAt} />,
  }),
  column.display({
    id: "synced",
    header: "Synced",
    cell: ({ row: { original } }) => <KnownTime iso={original.syncedAt} />,
  }),
  column.display({
    id: "id",
    header: "ID",
    cell: ({ row }) => (
      <span className={text.aboveRow}>
        <CopyableId text={row.original.sourceId} name="record ID" />
      </span>
    ),
  }),
];

function KnownTime({ iso }: { iso: string | null | undefined }) {
  return iso ? <Time iso={iso} full /> : <span className={text.dim}>never</span>;
}

const COLUMNS = {
  vessel: [record, standing, owner("Company", "company", ({ companyId }) => companyId), ...timesAndId],
  equipment: [record, standing, owner("Vessel", "vessel", ({ vesselId }) => vesselId), ...timesAndId],
  user: [record, standing, owner("Company", "company", ({ companyId }) => companyId), ...timesAndId],
  company: [record, standing, ...timesAndId],
} satisfies Record<RecordType, unknown>;

const OWN_COLUMNS = [record, standing, ...timesAndId];

/** The columns of a list of records; `isOfOwner`: of one vessel or company, which the list need not name. */
export const recordColumns = (type: RecordType, isOfOwner = false) =>
  isOfOwner ? OWN_COLUMNS : COLUMNS[type];
