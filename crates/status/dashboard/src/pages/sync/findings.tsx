import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listFindings } from "../../api/queries";
import { FINDING_COLUMNS, findingKey } from "../../ui/finding-columns";
import { Empty } from "../../ui/page";
import { Pager } from "../../ui/pager";
import { Answer } from "../../ui/query-result";
import { Table } from "../../ui/table";

const SIZE = 20;
const route = getRouteApi("/syncs/$syncId");

/** What was rejected, or let in with a warning: which record, which field, why, and the value. */
export function Findings({ syncId, expected, open }: { syncId: string; expected: number; open: boolean }) {
  const { findings: page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const findings = useQuery({
    ...listFindings(syncId, { limit: SIZE, offset: (page - 1) * SIZE }),
    enabled: expected > 0,
  });
  if (expected === 0) {
    return (
      <Empty title="No findings">
        {open ? "Records that are rejected show here, with field and reason." : "Every record passed."}
      </Empty>
    );
  }
  return (
    <Answer of={findings}>
      {({ data, pagination }) => (
        <>
          <Table label="Findings" columns={FINDING_COLUMNS} rows={data} rowKey={findingKey} />
          <Pager
            page={page}
            size={SIZE}
            total={pagination.total}
            what="findings"
            onPage={(next) =>
              navigate({
                search: (old) => ({ ...old, findings: next > 1 ? next : undefined }),
                resetScroll: false,
              })
            }
          />
        </>
      )}
    </Answer>
  );
}
