import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listFindings } from "../../api/queries";
import { EmptyState } from "../../ui/empty-state";
import { findingColumns, findingKey } from "../../ui/finding-columns";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import { Table } from "../../ui/table";

const PAGE_SIZE = 20;
const route = getRouteApi("/syncs/$syncId");

/** The findings of one sync, in pages. */
export function Findings(props: { syncId: string; count: number; isSyncOpen: boolean }) {
  const { syncId, count, isSyncOpen } = props;
  const { findings: page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const findings = useQuery({
    ...listFindings(syncId, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }),
    enabled: count > 0,
  });
  if (count === 0) {
    return (
      <EmptyState title="No findings">
        {isSyncOpen
          ? "Rejected records appear here, with field and reason."
          : "All records passed validation."}
      </EmptyState>
    );
  }
  return (
    <QueryResult query={findings}>
      {({ data, pagination }) => (
        <>
          <Table label="Findings" columns={findingColumns} data={data} rowKey={findingKey} />
          <Pager
            page={page}
            pageSize={PAGE_SIZE}
            total={pagination.total}
            itemNoun="findings"
            onPage={(next) =>
              navigate({
                search: (old) => ({ ...old, findings: next > 1 ? next : undefined }),
                resetScroll: false,
              })
            }
          />
        </>
      )}
    </QueryResult>
  );
}
