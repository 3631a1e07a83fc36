import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listParts } from "../../api/queries/records";
import type { Part, PartKind, RecordDetail } from "../../api/types";
import { interval, leadTime, quantity, stockLabel, textOf } from "../../format/parts";
import { labelOf, RECORD_STANDINGS, roleWord } from "../../format/states";
import { Card } from "../../ui/card";
import { CopyableId } from "../../ui/copyable-id";
import { EmptyState } from "../../ui/empty-state";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import { RecordLink } from "../../ui/record-link";
import { StateBadge } from "../../ui/state-badge";
import { type Column, columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { TwoLines } from "../../ui/two-lines";

const PAGE_SIZE = 10;
const route = getRouteApi("/records/$recordType/$sourceId");

const column = columnsOf<Part>();

/** A word of the API, such as `class_survey`. */
function wordOf(part: Part, name: string): string | null {
  const word = textOf(part, name);
  return word && roleWord(word);
}

/** A value of a part in words, which stay on one line if they are `short`. */
const value = (
  id: string,
  header: string,
  words: (part: Part) => string | null,
  unknown: string,
  short = false,
) =>
  column.display({
    id,
    header,
    meta: { className: short ? text.oneLine : undefined },
    cell: ({ row }) => {
      const shown = words(row.original);
      return shown === null ? <span className={text.dim}>{unknown}</span> : <bdi>{shown}</bdi>;
    },
  });

const name = (header: string, second: (part: Part) => (string | null)[]) =>
  column.display({
    id: "name",
    header,
    meta: { rowHeader: true },
    cell: ({ row: { original } }) => (
      <TwoLines second={second(original).filter(Boolean).join(" · ")}>{original.name}</TwoLines>
    ),
  });

const equipment = column.display({
  id: "equipment",
  header: "Equipment",
  cell: ({ row: { original } }) => (
    <RecordLink recordType="equipment" sourceId={original.equipmentId}>
      {original.equipmentName}
    </RecordLink>
  ),
});

const id = column.display({
  id: "id",
  header: "ID",
  cell: ({ row }) => <CopyableId text={row.original.sourceId} name="ID" />,
});

const partColumns = [
  name("Part", (part) => [textOf(part, "partNumber"), textOf(part, "maker")]),
  column.display({
    id: "stock",
    header: "Stock",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={stockLabel(row.original)} />,
  }),
  equipment,
  value("onBoard", "On board", (part) => quantity(part, "stockOnBoard"), "not counted", true),
  value("minimum", "Minimum", (part) => quantity(part, "minimumStock"), "none", true),
  value("location", "Location", (part) => textOf(part, "location"), "none"),
  value("leadTime", "Lead time", leadTime, "unknown", true),
  id,
];

const jobColumns = [
  name("Job", (job) => [textOf(job, "jobCode"), wordOf(job, "kind")]),
  column.display({
    id: "state",
    header: "State",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(RECORD_STANDINGS, row.original.status)} />,
  }),
  equipment,
  value("interval", "Due", interval, "unknown"),
  value("lastDone", "Last done", (job) => textOf(job, "lastDoneOn"), "not recorded", true),
  value("responsible", "Responsible", (job) => wordOf(job, "responsibleRank"), "anyone"),
  id,
];

const withoutEquipment = (columns: Column<Part>[]) => columns.filter((it) => it !== equipment);

interface Kind {
  title: string;
  /** Parameter of the address with the page of the list. */
  parameter: "parts" | "jobs";
  columns: Column<Part>[];
  /** The same of one piece of equipment, which the list need not name. */
  ownColumns: Column<Part>[];
}

const KINDS: Record<PartKind, Kind> = {
  critical_part: {
    title: "Critical parts",
    parameter: "parts",
    columns: partColumns,
    ownColumns: withoutEquipment(partColumns),
  },
  maintenance_schedule: {
    title: "Maintenance schedules",
    parameter: "jobs",
    columns: jobColumns,
    ownColumns: withoutEquipment(jobColumns),
  },
};

/** The critical parts and the maintenance schedules of a piece of equipment, or of all equipment of a vessel. */
export function PartLists({ owner }: { owner: RecordDetail }) {
  return (Object.keys(KINDS) as PartKind[]).map((kind) => <PartList key={kind} owner={owner} kind={kind} />);
}

function PartList({ owner, kind }: { owner: RecordDetail; kind: PartKind }) {
  const { title, parameter } = KINDS[kind];
  const { [parameter]: page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const isVessel = owner.recordType === "vessel";
  const parts = useQuery(
    listParts(
      { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE },
      { kind, [isVessel ? "vessel" : "equipment"]: owner.sourceId },
    ),
  );
  return (
    <Card title={title}>
      <QueryResult query={parts} lines={4}>
        {({ data, pagination }) =>
          pagination.total === 0 ? (
            <EmptyState title={`No ${title.toLowerCase()}`}>
              {isVessel
                ? "They come with the equipment of the vessel, where the onboarding portal has them."
                : "The onboarding portal has none for this equipment."}
            </EmptyState>
          ) : (
            <>
              <PartTable kind={kind} parts={data} isOfVessel={isVessel} />
              <Pager
                page={page}
                pageSize={PAGE_SIZE}
                total={pagination}
                itemNoun={title.toLowerCase()}
                onPage={(next) =>
                  navigate({
                    search: (old) => ({ ...old, [parameter]: next > 1 ? next : undefined }),
                    resetScroll: false,
                  })
                }
              />
            </>
          )
        }
      </QueryResult>
    </Card>
  );
}

/** `isOfVessel`: each names its equipment. */
export function PartTable(props: { kind: PartKind; parts: Part[]; isOfVessel: boolean }) {
  const { title, columns, ownColumns } = KINDS[props.kind];
  return (
    <Table
      label={title}
      columns={props.isOfVessel ? columns : ownColumns}
      data={props.parts}
      rowKey={(part) => `${part.equipmentId} ${part.sourceId}`}
    />
  );
}
