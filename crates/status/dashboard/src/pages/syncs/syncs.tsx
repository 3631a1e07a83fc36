import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getOverview, listSyncs } from "../../api/queries";
import type { SyncSummary } from "../../api/types";
import { formatCount, percentOf } from "../../format/numbers";
import { causeWord, isOpen, labelOf, modeWord, OUTCOMES, SYNC_STATES } from "../../format/states";
import { syncListStatus } from "../../format/sync";
import { expectedRecords, tallyOf } from "../../format/tally";
import { EmptyState } from "../../ui/empty-state";
import { LiveList } from "../../ui/live-list";
import { Page } from "../../ui/page";
import { StartSync } from "../../ui/start-sync";
import { StateBadge } from "../../ui/state-badge";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";
import { columnsOf, rowLink } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Elapsed, Time } from "../../ui/time";
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
  const { page = 1, state } = route.useSearch();
  const navigate = route.useNavigate();
  const overview = useQuery(getOverview()).data;
  const syncs = useQuery(listSyncs({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, state));
  const isFullSyncRunning = overview?.running.some((sync) => sync.mode === "full");
  const lastEnd = isFullSyncRunning ? null : overview?.lastFullSync?.completedAt;

  return (
    <Page
      title="Syncs"
      actions={
        <>
          <StateFilter
            states={SYNC_STATES}
            value={state}
            onChange={(next) => navigate({ search: (old) => ({ ...old, page: undefined, state: next }) })}
          />
          <StartSync />
        </>
      }
    >
      {overview && (
        <StatusBanner
          status={syncListStatus(overview)}
          {...(lastEnd ? { figure: { value: <Time iso={lastEnd} />, unit: "ended" } } : {})}
        />
      )}
      <LiveList
        query={syncs}
        itemNoun="syncs"
        label="Syncs"
        columns={columns}
        rowKey={(sync) => sync.syncId}
        page={page}
        pageSize={PAGE_SIZE}
        filter={state}
        empty={
          state ? (
            <EmptyState framed title={`No syncs in the state “${SYNC_STATES[state].word.toLowerCase()}”`}>
              Choose another state above.
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
