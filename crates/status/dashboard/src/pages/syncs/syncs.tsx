import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getOverview, listSyncs } from "../../api/queries";
import type { SyncSummary } from "../../api/types";
import { count, percent } from "../../format/numbers";
import { CAUSE_WORDS, isOpen, look, MODES, OUTCOMES, SYNC_STATES } from "../../format/states";
import { syncsVerdict } from "../../format/sync";
import { account, announced } from "../../format/tally";
import { Badge } from "../../ui/badge";
import { LiveList } from "../../ui/live-list";
import { Empty, Page, Verdict } from "../../ui/page";
import { StartSync } from "../../ui/start-sync";
import { StateFilter } from "../../ui/state-filter";
import type { Column } from "../../ui/table";
import { Elapsed, Time } from "../../ui/time";

const SIZE = 20;
const route = getRouteApi("/syncs");

const COLUMNS: Column<SyncSummary>[] = [
  {
    key: "started",
    header: "Started",
    cell: (run) => (
      <Link to="/syncs/$syncId" params={{ syncId: run.syncId }} data-row-link className="row-link">
        <Time iso={run.startedAt} full />
      </Link>
    ),
  },
  {
    key: "state",
    header: "State",
    narrow: "beside",
    cell: (run) => <Badge look={look(SYNC_STATES, run.state)} />,
  },
  {
    key: "what",
    header: "What and why",
    narrow: "line",
    cell: (run) => (
      // An operator by name; what has none, as a webhook by its id, on hover.
      <span className="clip" title={run.requestedBy}>
        {run.retryOf ? "Second try" : MODES[run.mode]}
        {run.dryRun && " dry run"},{" "}
        {run.cause === "manual" ? `by ${run.requestedBy}` : CAUSE_WORDS[run.cause].toLowerCase()}
      </span>
    ),
  },
  {
    key: "took",
    header: "Took",
    figure: true,
    cell: (run) => <Elapsed since={run.startedAt} until={run.completedAt} />,
  },
  { key: "read", header: "Read", figure: true, cell: (run) => <Read run={run} /> },
  ...OUTCOMES.filter(({ key }) => key !== "unchanged" && key !== "skipped").map(
    ({ key, word, tone }): Column<SyncSummary> => ({
      key,
      header: word,
      figure: true,
      cell: (run) => {
        const value = account(run.counts).total[key];
        return (
          <span className={value === 0 ? "zero" : "value"} data-tone={tone}>
            {count(value)}
          </span>
        );
      },
    }),
  ),
];

function Read({ run }: { run: SyncSummary }) {
  const { total } = account(run.counts);
  const share = isOpen(run.state) ? percent(total.read, announced(run)) : null;
  return (
    <>
      {count(total.read)}
      {share !== null && <span className="dim"> ({share} %)</span>}
    </>
  );
}

export function SyncsPage() {
  const { page = 1, state } = route.useSearch();
  const navigate = route.useNavigate();
  const overview = useQuery(getOverview()).data;
  const runs = useQuery(listSyncs({ limit: SIZE, offset: (page - 1) * SIZE }, state));
  const full = overview?.running.some((run) => run.mode === "full");
  const last = full ? null : overview?.lastFullSync?.completedAt;

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
        <Verdict
          of={syncsVerdict(overview)}
          {...(last ? { figure: { value: <Time iso={last} />, unit: "ended" } } : {})}
        />
      )}
      <LiveList
        of={runs}
        what="syncs"
        label="Syncs"
        columns={COLUMNS}
        keyOf={(run) => run.syncId}
        page={page}
        size={SIZE}
        filter={state}
        empty={
          state ? (
            <Empty title={`No sync is in the state “${SYNC_STATES[state].word.toLowerCase()}”`}>
              Choose another state above.
            </Empty>
          ) : (
            <Empty title="No sync has run yet">
              The first comes with an approval in the onboarding portal, with the schedule, or when an
              operator starts one.
            </Empty>
          )
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
    </Page>
  );
}
