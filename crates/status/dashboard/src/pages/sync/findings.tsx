import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listFindings } from "../../api/queries/findings";
import type { Severity } from "../../api/types";
import { RECORD_TYPE_ORDER, recordTypeNames, SEVERITIES } from "../../format/states";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { FindingList } from "../../ui/finding-list";
import { OptionFilter } from "../../ui/option-filter";
import { StateFilter } from "../../ui/state-filter";

const PAGE_SIZE = 20;
const route = getRouteApi("/syncs/$syncId");

/** The findings of one sync, in pages. */
export function Findings(props: { syncId: string; count: number; isSyncOpen: boolean }) {
  const { syncId, count, isSyncOpen } = props;
  const { findings: page = 1, type: recordType, severity } = route.useSearch();
  const navigate = route.useNavigate();
  const isFiltered = recordType !== undefined || severity !== undefined;
  const findings = useQuery({
    ...listFindings(syncId, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, { severity, recordType }),
    enabled: count > 0,
  });
  const narrow = (part: { type?: typeof recordType; severity?: Severity | undefined }) =>
    navigate({ search: (old) => ({ ...old, ...part, findings: undefined }), resetScroll: false });
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
    <>
      <div>
        <FilterBar isFiltered={isFiltered} onClear={() => narrow({ type: undefined, severity: undefined })}>
          <OptionFilter
            label="Record type of the findings"
            allLabel="All record types"
            options={RECORD_TYPE_ORDER.map((value) => ({ value, label: recordTypeNames(value).many }))}
            value={recordType}
            onChange={(type) => narrow({ type })}
          />
          <StateFilter<Severity>
            label="Finding"
            allLabel="All findings"
            states={SEVERITIES}
            value={severity}
            onChange={(severity) => narrow({ severity })}
          />
        </FilterBar>
      </div>
      <FindingList
        query={findings}
        page={page}
        pageSize={PAGE_SIZE}
        empty={
          <EmptyState title="No finding matches the filters">Change or clear the filters above.</EmptyState>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, findings: next }), resetScroll: false })}
      />
    </>
  );
}
