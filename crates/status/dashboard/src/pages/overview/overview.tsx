import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { getOverview, listSyncs } from "../../api/queries";
import type { Overview, SyncSummary } from "../../api/types";
import { CAUSES, look, SYNC_STATES } from "../../format/states";
import { needs, verdict } from "../../format/verdict";
import { Answer } from "../../ui/answer";
import { Badge } from "../../ui/badge";
import { Announce, Card, Page, Verdict } from "../../ui/page";
import { RunProgress } from "../../ui/progress";
import { StartSync } from "../../ui/start-sync";
import { Time } from "../../ui/time";
import { Fleet } from "./fleet";
import { LastRuns } from "./last-runs";
import { Needs } from "./needs";
import { Parts } from "./parts";

/** As many as are looked through for errors after the last full sync. */
const LOOKED_AT = { limit: 50, offset: 0 };

export function OverviewPage() {
  const overview = useQuery(getOverview());
  const troubled = useQuery(listSyncs(LOOKED_AT, "completed_with_errors"));
  return (
    <Page title="Overview" actions={<StartSync />}>
      <Answer of={overview} lines={8}>
        {(data) => (
          // The verdict waits for both: it may not say that all is well and then take it back.
          <Answer of={troubled} lines={8}>
            {(list) => <Report overview={data} troubled={list.data} />}
          </Answer>
        )}
      </Answer>
    </Page>
  );
}

function Report({ overview, troubled }: { overview: Overview; troubled: SyncSummary[] }) {
  const answer = verdict(overview, troubled);
  const last = overview.lastFullSync;
  return (
    <>
      <Announce text={answer.sentence} />
      <Verdict of={answer}>
        {last?.completedAt && answer.tone !== "info" && (
          <>
            Last full sync{" "}
            <Link to="/syncs/$syncId" params={{ syncId: last.syncId }}>
              <Time iso={last.completedAt} />
            </Link>
            {overview.lastWebhookAt && (
              <>
                , last webhook <Time iso={overview.lastWebhookAt} />
              </>
            )}
            .
          </>
        )}
      </Verdict>
      <Needs needs={needs(overview, troubled)} />
      {overview.running.map((run) => (
        <RunningSync key={run.syncId} run={run} />
      ))}
      <Card title="Last runs" aside={<Link to="/syncs">All syncs</Link>}>
        <LastRuns />
      </Card>
      <div className="columns">
        <Card
          title="In the maintenance portal"
          aside={last && <span className="dim desk-only">with the last full sync's changes</span>}
        >
          <Fleet overview={overview} />
        </Card>
        <Card title="The parts">
          <Parts overview={overview} />
        </Card>
      </div>
    </>
  );
}

function RunningSync({ run }: { run: SyncSummary }) {
  return (
    <Card
      title={run.mode === "full" ? "Full sync at work" : "Sync at work"}
      aside={<Badge look={look(SYNC_STATES, run.state)} />}
    >
      <div className="running">
        <RunProgress run={run} />
        <p className="dim">
          {CAUSES[run.cause]} ({run.requestedBy}), <Time iso={run.startedAt} />.{" "}
          <Link to="/syncs/$syncId" params={{ syncId: run.syncId }}>
            Watch it
          </Link>
        </p>
      </div>
    </Card>
  );
}
