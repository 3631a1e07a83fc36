import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { getSync } from "../../api/queries";
import type { SyncDetail } from "../../api/types";
import { count, plural, rate } from "../../format/numbers";
import { CAUSES, isOpen, look, SYNC_STATES } from "../../format/states";
import { runName, runVerdict } from "../../format/sync";
import { account } from "../../format/tally";
import { AttemptTable } from "../../ui/attempt-table";
import { Copy } from "../../ui/copyable-id";
import { Announce, Card, Empty, Page, Verdict } from "../../ui/page";
import { Answer } from "../../ui/query-result";
import { PhaseProgress } from "../../ui/sync-progress";
import { AccountTable } from "../../ui/tally-table";
import { Elapsed, Time } from "../../ui/time";
import { Actions, RetryOf } from "./actions";
import { Findings } from "./findings";
import { MissingQuestion } from "./missing-records";

const route = getRouteApi("/syncs/$syncId");

export function SyncPage() {
  const { syncId } = route.useParams();
  const sync = useQuery(getSync(syncId));
  return (
    <Page title={sync.data ? runName(sync.data) : "Sync"} actions={sync.data && <Actions run={sync.data} />}>
      <p className="crumb">
        <Link to="/syncs">
          <ArrowLeft size={14} aria-hidden /> Syncs
        </Link>
        <Copy text={syncId} what="sync id" />
      </p>
      <Answer of={sync} lines={10}>
        {(run) => <Run run={run} />}
      </Answer>
    </Page>
  );
}

function Run({ run }: { run: SyncDetail }) {
  const state = look(SYNC_STATES, run.state);
  const open = isOpen(run.state);
  return (
    <>
      <Announce text={`This sync: ${state.word}`} />
      <Verdict
        of={runVerdict(run, run.tasks.dead)}
        figure={{
          value: <Elapsed since={run.startedAt} until={run.completedAt} />,
          unit: open ? "so far" : "from request to end",
        }}
      />

      <MissingQuestion run={run} />

      <Card title={open ? "Progress" : "Facts"}>
        {open && <PhaseProgress run={run} />}
        <Facts run={run} />
      </Card>

      <Card title="The account">
        {run.counts.length === 0 ? (
          <Empty title="No record has been read yet">
            {open ? "Figures come with the first page." : "This sync ended before its first page."}
          </Empty>
        ) : (
          <AccountTable counts={run.counts} state={run.state} />
        )}
      </Card>

      <Card
        title="Findings"
        aside={run.findings > 0 ? <span className="dim">{plural(run.findings, "finding")}</span> : undefined}
      >
        <Findings syncId={run.syncId} expected={run.findings} open={open} />
      </Card>

      <Card title="Failed attempts">
        {run.attempts.length === 0 ? (
          <Empty title="No attempt failed">
            Work that fails for a passing reason is tried again, and shows here.
          </Empty>
        ) : (
          <AttemptTable attempts={run.attempts} of="task" />
        )}
      </Card>
    </>
  );
}

function Facts({ run }: { run: SyncDetail }) {
  const { total } = account(run.counts);
  const begun = run.runningAt ?? null;
  const speed =
    begun && run.completedAt ? rate(total.read, Date.parse(run.completedAt) - Date.parse(begun)) : null;
  const tasks = run.tasks;
  return (
    <dl className="facts wide">
      <Fact name="Cause">
        {CAUSES[run.cause]} ({run.requestedBy})
      </Fact>
      {run.reason && <Fact name="Reason">{run.reason}</Fact>}
      {run.retryOf && (
        <Fact name="Tries again">
          <RetryOf syncId={run.retryOf} />
        </Fact>
      )}
      <Fact name="Asked for">
        <Time iso={run.startedAt} full />
      </Fact>
      {run.completedAt && (
        <Fact name="Ended">
          <Time iso={run.completedAt} full />
        </Fact>
      )}
      {isOpen(run.state) && (
        <Fact name="Last sign of life">
          <Time iso={run.heartbeatAt} />
        </Fact>
      )}
      {speed && <Fact name="Speed">{speed}</Fact>}
      <Fact name="Tasks">
        {[
          [tasks.done, "done"],
          [tasks.pending, "at work or waiting"],
          [tasks.retrying, "retrying"],
          [tasks.dead, "dead"],
          [tasks.cancelled, "cancelled"],
        ]
          .filter(([n]) => n !== 0)
          .map(([n, word]) => `${count(n as number)} ${word}`)
          .join(", ") || "none yet"}
        {tasks.dead > 0 && (
          <>
            {" "}
            (
            <Link to="/dead-letters" search={{ state: "dead" }}>
              see the dead letters
            </Link>
            )
          </>
        )}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
