import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getOverview } from "../../api/queries/overview";
import { listSyncs } from "../../api/queries/syncs";
import type { SyncSummary } from "../../api/types";
import { formatCount, percentOf } from "../../format/numbers";
import {
  CAUSE_OPTIONS,
  causeWord,
  isOpen,
  labelOf,
  MODE_OPTIONS,
  modeWord,
  OUTCOMES,
  SYNC_STATES,
} from "../../format/states";
import { syncListStatus } from "../../format/sync";
import { expectedRecords, tallyOf } from "../../format/tally";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { LiveList } from "../../ui/live-list";
import { OptionFilter } from "../../ui/option-filter";
import { Page } from "../../ui/page";
import { StartSync } from "../../ui/start-sync";
import { StateBadge } from "../../ui/state-badge";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";
import { columnsOf, rowLink } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Elapsed, Time } from "../../ui/time";
import { TimeRangeFilter } from "../../ui/time-range-filter";
import { ToneCount } from "../../ui/tone-count";
import styles from "./syncs.module.css";

const PAGE_SIZE = 20;
const route = getRouteApi("/syncs");

const column = columnsOf<SyncSummary>();
const columns = [
  column.display({
    id: "started",
    header: "Started",
    cell: ({ row: { original: sync } }) => (
      <Link to="/syncs/$syncId" params={{ syncId: sync.syncId }} {...rowLink}>
        <Time iso={sync.startedAt} full />
      </Link>
    ),
  }),
  column.display({
    id: "state",
    header: "State",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(SYNC_STATES, row.original.state)} />,
  }),
  column.display({
    id: "sync",
    header: "Sync",
    meta: { narrow: "line" },
    cell: ({ row }) => <ModeAndCause sync={row.original} />,
  }),
  column.display({
    id: "duration",
    header: "Duration",
    meta: { figure: true },
    cell: ({ row: { original: sync } }) => <Elapsed since={sync.startedAt} until={sync.completedAt} />,
  }),
  column.display({
    id: "read",
    header: "Read",
    meta: { figure: true },
    cell: ({ row }) => <ReadCount sync={row.original} />,
  }),
  ...OUTCOMES.filter(({ key }) => key !== "unchanged" && key !== "skipped").map(({ key, word, tone }) =>
    column.display({
      id: key,
      header: word,
      meta: { figure: true },
      cell: ({ row }) => <ToneCount value={tallyOf(row.original.counts).total[key]} tone={tone} />,
    }),
  ),
];

function ModeAndCause({ sync }: { sync: SyncSummary }) {
  // An operator by name. The id of a webhook or schedule is shown on hover only.
  return (
    <span className={styles.sync} title={sync.requestedBy}>
      {sync.retryOf ? "Retry" : modeWord(sync.mode)}
      {sync.dryRun && " dry run"},{" "}
      {sync.cause === "manual" ? (
        <>
          by <bdi>{sync.requestedBy}</bdi>
        </>
      ) : (
        causeWord(sync.cause).toLowerCase()
      )}
    </span>
  );
}

function ReadCount({ sync }: { sync: SyncSummary }) {
  const { total } = tallyOf(sync.counts);
  const share = isOpen(sync.state) ? percentOf(total.read, expectedRecords(sync)) : null;
  return (
    <>
      {formatCount(total.read)}
      {share !== null && <span className={text.dim}> ({share} %)</span>}
    </>
  );
}

export function SyncsPage() {
  const { page = 1, zone: _, ...filter } = route.useSearch();
  const navigate = route.useNavigate();
  const isFiltered = Object.keys(filter).length > 0;
  const narrow = (part: Partial<typeof filter>) =>
    navigate({ search: (old) => ({ ...old, ...part, page: undefined }) });
  const overview = useQuery(getOverview()).data;
  const syncs = useQuery(listSyncs({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, filter));
  const isFullSyncRunning = overview?.running.some((sync) => sync.mode === "full");
  const lastEnd = isFullSyncRunning ? null : overview?.lastFullSync?.completedAt;

  return (
    <Page title="Syncs" actions={<StartSync />}>
      <StatusBanner
        status={overview && syncListStatus(overview)}
        {...(lastEnd ? { figure: { value: <Time iso={lastEnd} />, unit: "ended" } } : {})}
      />
      <FilterBar
        isFiltered={isFiltered}
        onClear={() => navigate({ search: ({ zone }) => (zone ? { zone } : {}) })}
      >
        <StateFilter states={SYNC_STATES} value={filter.state} onChange={(state) => narrow({ state })} />
        <OptionFilter
          label="Cause"
          allLabel="All causes"
          options={CAUSE_OPTIONS.map((value) => ({ value, label: causeWord(value) }))}
          value={filter.cause}
          onChange={(cause) => narrow({ cause })}
        />
        <OptionFilter
          label="Mode"
          allLabel="All modes"
          options={MODE_OPTIONS.map((value) => ({ value, label: modeWord(value) }))}
          value={filter.mode}
          onChange={(mode) => narrow({ mode })}
        />
        <OptionFilter
          label="Dry runs"
          allLabel="With dry runs"
          options={[
            { value: "no", label: "Without dry runs" },
            { value: "only", label: "Only dry runs" },
          ]}
          value={filter.dryRun === undefined ? undefined : filter.dryRun ? "only" : "no"}
          onChange={(choice) => narrow({ dryRun: choice === undefined ? undefined : choice === "only" })}
        />
        <TimeRangeFilter from={filter.from} to={filter.to} onChange={narrow} />
      </FilterBar>
      <LiveList
        query={syncs}
        itemNoun="syncs"
        label="Syncs"
        columns={columns}
        rowKey={(sync) => sync.syncId}
        page={page}
        pageSize={PAGE_SIZE}
        filter={isFiltered ? JSON.stringify(filter) : undefined}
        empty={
          isFiltered ? (
            <EmptyState framed title="No syncs match the filters">
              Change or clear the filters above.
            </EmptyState>
          ) : (
            <EmptyState framed title="No syncs yet">
              The first one starts when the onboarding portal sends an approval, on schedule, or when an
              operator starts it.
            </EmptyState>
          )
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
    </Page>
  );
}
