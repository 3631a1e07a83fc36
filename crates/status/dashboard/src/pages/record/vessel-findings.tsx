import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { getVesselReport } from "../../api/queries/findings";
import type { RecordDetail } from "../../api/types";
import { plural, pluralTotal } from "../../format/numbers";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/empty-state";
import { findingColumns, findingKey } from "../../ui/finding-columns";
import { FindingList } from "../../ui/finding-list";
import { Note } from "../../ui/note";
import { Table } from "../../ui/table";
import text from "../../ui/text.module.css";

const PAGE_SIZE = 10;
const route = getRouteApi("/records/$recordType/$sourceId");

/** Findings about the vessel, its equipment and its users as they are now, and critical parts of which there are too few. */
export function VesselFindings({ vessel }: { vessel: RecordDetail }) {
  const { findings: page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const report = useQuery({
    ...getVesselReport(vessel.sourceId, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }),
    // The report knows only vessels of which a state was written.
    enabled: vessel.status != null,
  });
  if (!vessel.status) {
    return (
      vessel.findingsTotal > 0 && (
        <Card title="Findings">
          <Table label="Findings" columns={findingColumns} data={vessel.findings} rowKey={findingKey} />
        </Card>
      )
    );
  }
  const spares = report.data?.criticalSparesBelowMinimum ?? 0;
  return (
    <>
      {spares > 0 && (
        <Note tone="warn" title={`${plural(spares, "critical part")} below the minimum stock`}>
          <p>By the ship's own count, less is on board than must be.</p>
        </Note>
      )}
      <Card
        title="Findings on board"
        aside={
          report.data &&
          report.data.pagination.total > 0 && (
            <span className={text.dim}>{pluralTotal(report.data.pagination, "finding")}</span>
          )
        }
      >
        <FindingList
          query={report}
          page={page}
          pageSize={PAGE_SIZE}
          empty={
            <EmptyState title="No findings">
              The vessel, its equipment and its users passed validation.
            </EmptyState>
          }
          onPage={(next) => navigate({ search: (old) => ({ ...old, findings: next }), resetScroll: false })}
        />
      </Card>
    </>
  );
}
