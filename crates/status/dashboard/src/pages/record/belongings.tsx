import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { listRecords } from "../../api/queries/records";
import type { RecordDetail, RecordType } from "../../api/types";
import { formatCount } from "../../format/numbers";
import { fieldLabel } from "../../format/record-fields";
import { recordTypeNames } from "../../format/states";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/empty-state";
import { Fact, FactList } from "../../ui/fact-list";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import { recordColumns } from "../../ui/record-columns";
import { NamedRecordLink } from "../../ui/record-link";
import { Table } from "../../ui/table";
import text from "../../ui/text.module.css";

/** What belongs to the record, by number; the vessels of a user by name. */
export function Belongings({ record }: { record: RecordDetail }) {
  const counts = Object.entries(record.dependents);
  const { vesselScope } = record.particulars as { vesselScope?: unknown };
  const vessels = Array.isArray(vesselScope) ? vesselScope.filter((id) => typeof id === "string") : [];
  if (counts.length === 0 && vessels.length === 0) return <p className={text.dim}>Nothing.</p>;
  return (
    <FactList>
      {counts.map(([name, { active, withdrawn }]) => (
        <Fact key={name} name={fieldLabel(name)}>
          {formatCount(active)}
          {withdrawn > 0 && <span className={text.dim}>, and {formatCount(withdrawn)} withdrawn</span>}
        </Fact>
      ))}
      {vessels.map((id) => (
        <Fact key={id} name="Vessel">
          <NamedRecordLink recordType="vessel" sourceId={id} />
        </Fact>
      ))}
    </FactList>
  );
}

const PAGE_SIZE = 10;
const route = getRouteApi("/records/$recordType/$sourceId");

const BELONGING_TYPES: Record<RecordType, RecordType[]> = {
  company: ["vessel", "user"],
  vessel: ["equipment", "user"],
  equipment: [],
  user: [],
};

/** The equipment and the users of a vessel; the vessels and the users of a company. */
export function BelongingLists({ record }: { record: RecordDetail }) {
  return BELONGING_TYPES[record.recordType].map((type) => (
    <BelongingList key={type} owner={record} type={type} />
  ));
}

function BelongingList({ owner, type }: { owner: RecordDetail; type: RecordType }) {
  const filter = { [owner.recordType]: owner.sourceId };
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const parameter = type === "user" ? "users" : type === "vessel" ? "vessels" : "equipment";
  const page = search[parameter] ?? 1;
  const records = useQuery(listRecords(type, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, filter));
  const { many } = recordTypeNames(type);
  return (
    <Card
      title={many}
      aside={
        <Link to="/records" search={{ type, ...filter }}>
          Search and filter
        </Link>
      }
    >
      <QueryResult query={records} lines={4}>
        {({ data, pagination }) =>
          pagination.total === 0 ? (
            <EmptyState title={`No ${many.toLowerCase()}`}>
              They come with a sync of this {recordTypeNames(owner.recordType).one}.
            </EmptyState>
          ) : (
            <>
              <Table
                label={many}
                columns={recordColumns(type, true)}
                data={data}
                rowKey={(row) => row.sourceId}
                linked
              />
              <Pager
                page={page}
                pageSize={PAGE_SIZE}
                total={pagination}
                itemNoun={many.toLowerCase()}
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
