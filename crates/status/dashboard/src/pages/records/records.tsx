import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getOverview } from "../../api/queries/overview";
import { listRecords } from "../../api/queries/records";
import { SEARCH_MIN_LENGTH } from "../../api/queries/search";
import { useFleetPart } from "../../api/session";
import type { Overview, RecordStatus, RecordType } from "../../api/types";
import { hasSynced } from "../../format/fleet-status";
import { formatCount, plural } from "../../format/numbers";
import { RECORD_STATUSES, RECORD_TYPE_ORDER, recordTypeNames } from "../../format/states";
import type { Status } from "../../format/status";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { LiveList } from "../../ui/live-list";
import { Page } from "../../ui/page";
import { recordColumns } from "../../ui/record-columns";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";
import { TextFilter } from "../../ui/text-filter";
import { ViewLinks, viewLink } from "../../ui/view-links";

const PAGE_SIZE = 20;
const route = getRouteApi("/records");

/** Types in the order of their use: most visits are about a vessel. */
const DEFAULT_TYPE = "vessel";
const TABS: RecordType[] = [DEFAULT_TYPE, "equipment", "user", "company"];

/** The records of one type in the maintenance portal, and those that were rejected. */
export function RecordsPage() {
  const { page = 1, type = DEFAULT_TYPE, status, q, vessel, company } = route.useSearch();
  const navigate = route.useNavigate();
  const isForWhole = useFleetPart() === null;
  const overview = useQuery({ ...getOverview(), enabled: isForWhole }).data;
  const filter = { status, q: q && q.length >= SEARCH_MIN_LENGTH ? q : undefined, vessel, company };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const records = useQuery(listRecords(type, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, filter));
  const narrow = (part: Partial<typeof filter>) =>
    navigate({ search: (old) => ({ ...old, ...part, page: undefined }) });
  const { one, many } = recordTypeNames(type);
  return (
    <Page
      title="Records"
      actions={
        <ViewLinks label="Record types">
          {TABS.map((tab) => (
            <Link
              key={tab}
              to="/records"
              search={{ type: tab === DEFAULT_TYPE ? undefined : tab }}
              {...viewLink}
            >
              {recordTypeNames(tab).many}
            </Link>
          ))}
        </ViewLinks>
      }
    >
      {isForWhole && <StatusBanner status={overview && recordsStatus(overview)} />}
      <FilterBar
        isFiltered={isFiltered}
        onClear={() => navigate({ search: ({ zone }) => ({ ...(zone ? { zone } : {}), type }) })}
      >
        <TextFilter label={SEARCH_LABELS[type]} value={q} onChange={(q) => narrow({ q })} />
        <StateFilter<RecordStatus>
          states={RECORD_STATUSES}
          value={status}
          onChange={(status) => narrow({ status })}
        />
        {type !== "vessel" && (
          <TextFilter
            label="Vessel: IMO number or ID"
            value={vessel}
            onChange={(vessel) => narrow({ vessel })}
          />
        )}
        {type !== "company" && (
          <TextFilter
            label="Company: IMO number or ID"
            value={company}
            onChange={(company) => narrow({ company })}
          />
        )}
      </FilterBar>
      <LiveList
        query={records}
        itemNoun={many.toLowerCase()}
        label={many}
        columns={recordColumns(type)}
        rowKey={(record) => record.sourceId}
        page={page}
        pageSize={PAGE_SIZE}
        filter={JSON.stringify([type, filter])}
        empty={
          isFiltered ? (
            <EmptyState framed title={`No ${one} matches the filters`}>
              Change or clear the filters above.
            </EmptyState>
          ) : (
            <EmptyState framed title={`No ${many.toLowerCase()} yet`}>
              Records come with a full sync, or when the onboarding portal approves one.
            </EmptyState>
          )
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
    </Page>
  );
}

const SEARCH_LABELS: Record<RecordType, string> = {
  vessel: "Name or IMO number",
  equipment: "Name, tag or code",
  user: "Email or ID",
  company: "Name or IMO number",
};

export function recordsStatus(overview: Overview): Status {
  if (!hasSynced(overview)) {
    return {
      tone: "neutral",
      headline: "No records yet",
      detail: "Start a full sync, or approve a vessel in the onboarding portal.",
    };
  }
  const counts = RECORD_TYPE_ORDER.flatMap((type) => {
    const active = overview.fleet.find(({ recordType }) => recordType === type)?.active;
    const { one, many } = recordTypeNames(type);
    return active === undefined
      ? []
      : [
          type === "equipment"
            ? `${formatCount(active)} equipment items`
            : plural(active, one, many.toLowerCase()),
        ];
  });
  return {
    tone: "neutral",
    headline: `${counts.join(", ")} active`,
    detail: "A record's page has its values, its findings and all that happened to it.",
  };
}
