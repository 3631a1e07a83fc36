import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { getOverview, getValidationReport, STANDING } from "../../api/queries";
import type { Overview, SyncSummary, ValidationReport } from "../../api/types";
import { needs, verdict } from "../../format/fleet-status";
import { CAUSES, look, SYNC_STATES } from "../../format/states";
import { runName } from "../../format/sync";
import { Badge } from "../../ui/badge";
import { Announce, Card, Page, Verdict } from "../../ui/page";
import { Answer } from "../../ui/query-result";
import { StartSync } from "../../ui/start-sync";
import { RunProgress } from "../../ui/sync-progress";
import { Time } from "../../ui/time";
import { Needs } from "./attention";
import { Fleet } from "./fleet-table";
import { Parts } from "./health";
import { LastRuns } from "./recent-syncs";

export function OverviewPage() {
  const overview = useQuery(getOverview());
  const standing = useQuery(getValidationReport(STANDING, "error"));
  return (
    <Page title="Overview" actions={<StartSync />}>
      <Answer of={overview} lines={8}>
        {(data) => (
          // The verdict waits for both: it may not say that all is well and then take it back.
          <Answer of={standing} lines={8}>
            {(report) => <Report overview={data} standing={report} />}
          </Answer>
        )}
      </Answer>
    </Page>
  );
}

function Report({ overview, standing }: { overview: Overview; standing: ValidationReport }) {
  const answer = verdict(overview, standing);
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
      <Needs needs={needs(overview, standing)} />
      {overview.running.map((run) => (
        <RunningSync key={run.syncId} run={run} />
      ))}
      <Card title="Last runs" aside={<Link to="/syncs">All syncs</Link>}>
        <LastRuns />
      </Card>
      <div className="columns">
        <Card title="In the maintenance portal" aside={<Link to="/records">What stands about them</Link>}>
          <Fleet overview={overview} standing={standing} />
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
    <Card title={`${runName(run)} at work`} aside={<Badge look={look(SYNC_STATES, run.state)} />}>
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
