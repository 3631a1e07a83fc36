import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { getOverview } from "../../api/queries";
import type { Overview, SyncSummary } from "../../api/types";
import { count } from "../../format/numbers";
import { CAUSES, look, RECORD_TYPES, SYNC_STATES } from "../../format/states";
import { type Need, needs, verdict } from "../../format/verdict";
import { Answer } from "../../ui/answer";
import { Badge } from "../../ui/badge";
import { Icon } from "../../ui/icon";
import { Announce, Card, Page, Verdict } from "../../ui/page";
import { RunProgress } from "../../ui/progress";
import { Time } from "../../ui/time";
import { LastRuns } from "./last-runs";
import { StartSync } from "./start-sync";

export function OverviewPage() {
  const overview = useQuery(getOverview());
  const full = overview.data?.running.find((run) => run.mode === "full");
  return (
    <Page title="Overview" actions={<StartSync running={full} />}>
      <Answer of={overview} lines={8}>
        {(data) => <Report overview={data} />}
      </Answer>
    </Page>
  );
}

function Report({ overview }: { overview: Overview }) {
  const { tone, sentence, detail } = verdict(overview);
  const wrong = needs(overview);
  return (
    <>
      <Announce text={sentence} />
      <Verdict
        tone={tone}
        sentence={sentence}
        aside={
          overview.lastFullSync?.completedAt ? (
            <>
              <span className="dim">Last full sync</span>
              <Link to="/syncs/$syncId" params={{ syncId: overview.lastFullSync.syncId }}>
                <Time iso={overview.lastFullSync.completedAt} />
              </Link>
            </>
          ) : null
        }
      >
        {detail}
      </Verdict>

      {wrong.length > 0 && (
        <Card title="Needs a person">
          <ul className="needs">
            {wrong.map((need) => (
              <NeedLine key={need.key} need={need} />
            ))}
          </ul>
        </Card>
      )}

      {overview.running.map((run) => (
        <RunningSync key={run.syncId} run={run} />
      ))}

      <Card title="Last runs" aside={<Link to="/syncs">All syncs</Link>}>
        <LastRuns />
      </Card>

      <div className="columns">
        <Card title="In the maintenance portal">
          <dl className="figures">
            {(["company", "vessel", "equipment", "user"] as const).map((type) => (
              <div key={type}>
                <dt>{RECORD_TYPES[type].many}</dt>
                <dd>{count(overview.fleet.find((f) => f.recordType === type)?.active ?? 0)}</dd>
              </div>
            ))}
          </dl>
        </Card>
        <Card title="The parts">
          <dl className="facts">
            {overview.health.map((part) => (
              <div key={part.name}>
                <dt className="first-up">{part.name}</dt>
                <dd>
                  <span className="badge" data-tone={part.ok ? "good" : "bad"}>
                    <Icon name={part.ok ? "check" : "cross"} />
                    {part.ok ? "Answers" : "Does not answer"}
                  </span>
                </dd>
              </div>
            ))}
            <div>
              <dt>Last webhook</dt>
              <dd>{overview.lastWebhookAt ? <Time iso={overview.lastWebhookAt} /> : "none yet"}</dd>
            </div>
            <div>
              <dt>Next scheduled sync</dt>
              <dd>
                {overview.nextScheduledAt ? (
                  <Time iso={overview.nextScheduledAt} />
                ) : (
                  <Link to="/settings">off</Link>
                )}
              </dd>
            </div>
            <div>
              <dt>Waiting for the broker</dt>
              <dd>{overview.unpublished === 0 ? "nothing" : `${count(overview.unpublished)} messages`}</dd>
            </div>
          </dl>
        </Card>
      </div>
    </>
  );
}

function NeedLine({ need }: { need: Need }) {
  return (
    <li data-tone={need.tone}>
      <Icon name={need.tone === "bad" ? "cross" : "warning"} size={16} />
      <div>
        <p className="strong">{need.what}</p>
        <p className="dim">{need.remedy}</p>
      </div>
      {need.to?.page === "sync" && (
        <Link to="/syncs/$syncId" params={{ syncId: need.to.syncId }} className="go">
          See which <ArrowRight size={14} aria-hidden />
        </Link>
      )}
      {need.to?.page === "dead-letters" && (
        <Link to="/dead-letters" className="go">
          See them <ArrowRight size={14} aria-hidden />
        </Link>
      )}
    </li>
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
