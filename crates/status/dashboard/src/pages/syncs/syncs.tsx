import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { keys, listSyncs } from "../../api/queries";
import type { SyncSummary } from "../../api/types";
import { account } from "../../format/accounts";
import { count, percent } from "../../format/numbers";
import { CAUSE_WORDS, isOpen, look, OUTCOMES, SYNC_STATES } from "../../format/states";
import { Answer } from "../../ui/answer";
import { Badge } from "../../ui/badge";
import { Empty, Page } from "../../ui/page";
import { Pager } from "../../ui/pager";
import { StateFilter } from "../../ui/state-filter";
import { type Column, Table } from "../../ui/table";
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
  { key: "state", header: "State", cell: (run) => <Badge look={look(SYNC_STATES, run.state)} /> },
  {
    key: "cause",
    header: "Cause",
    cell: (run) => (
      <span className="one-line">
        {CAUSE_WORDS[run.cause]}, {run.mode}
      </span>
    ),
  },
  {
    key: "by",
    header: "Asked for by",
    cell: (run) => (
      <span className="clip" title={run.requestedBy}>
        {run.requestedBy}
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
  { key: "outcomes", header: "Changes", cell: (run) => <Changes run={run} /> },
];

function Read({ run }: { run: SyncSummary }) {
  const { total } = account(run.counts);
  const share = isOpen(run.state) ? percent(total.read, total.expected) : null;
  return (
    <>
      {count(total.read)}
      {share !== null && <span className="dim"> ({share} %)</span>}
    </>
  );
}

/** The outcomes that say something: everything but what stayed as it was. */
function Changes({ run }: { run: SyncSummary }) {
  const { total } = account(run.counts);
  const said = OUTCOMES.filter((o) => o.key !== "unchanged" && o.key !== "skipped" && total[o.key] > 0);
  if (said.length === 0) return <span className="dim">{total.read > 0 ? "all unchanged" : "none"}</span>;
  return (
    <span className="changes">
      {said.map((outcome) => (
        <span key={outcome.key} data-tone={outcome.tone} className="tinted">
          {count(total[outcome.key])} {outcome.word.toLowerCase()}
        </span>
      ))}
    </span>
  );
}

export function SyncsPage() {
  const { page = 1, state } = route.useSearch();
  const navigate = route.useNavigate();
  const runs = useQuery(listSyncs({ limit: SIZE, offset: (page - 1) * SIZE }, state));
  const [pointerOver, setPointerOver] = useState(false);
  const arrivals = useArrivals(page === 1 && !state && !pointerOver);

  return (
    <Page
      title="Syncs"
      actions={
        <StateFilter
          states={SYNC_STATES}
          value={state}
          onChange={(next) => navigate({ search: (old) => ({ ...old, page: undefined, state: next }) })}
        />
      }
    >
      {arrivals.waiting > 0 && (
        <Button
          size="xs"
          className="pill"
          onClick={() => {
            arrivals.show();
            navigate({ search: (old) => ({ ...old, page: undefined, state: undefined }) });
          }}
        >
          {count(arrivals.waiting)} new
        </Button>
      )}
      <Answer of={runs} lines={10}>
        {({ data, pagination }) =>
          pagination.total === 0 && state ? (
            <Empty title={`No sync is in the state “${SYNC_STATES[state].word.toLowerCase()}”`}>
              Choose another state above.
            </Empty>
          ) : pagination.total === 0 ? (
            <Empty title="No sync has run yet">
              The first comes with an approval in the onboarding portal, with the schedule, or when you{" "}
              <Link to="/">start a full sync</Link>.
            </Empty>
          ) : (
            <>
              <Table
                label="Syncs"
                columns={COLUMNS}
                rows={data}
                rowKey={(run) => run.syncId}
                linked
                onPointer={setPointerOver}
              />
              <Pager
                page={page}
                size={SIZE}
                total={pagination.total}
                what="syncs"
                onPage={(next) =>
                  navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })
                }
              />
            </>
          )
        }
      </Answer>
    </Page>
  );
}

/** Runs that began since the list was read. They are shown at once, unless that would move what one looks at. */
function useArrivals(atOnce: boolean) {
  const cache = useQueryClient();
  const waiting = useQuery({
    queryKey: keys.arrivals,
    queryFn: () => 0,
    initialData: 0,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
  const show = () => {
    cache.setQueryData(keys.arrivals, 0);
    cache.invalidateQueries({ queryKey: ["syncs", "history"] });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: show is made anew on each render and does the same
  useEffect(() => {
    if (waiting > 0 && atOnce) show();
  }, [waiting, atOnce]);
  return { waiting: atOnce ? 0 : waiting, show };
}
