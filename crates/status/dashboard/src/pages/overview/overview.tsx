import { usePrefetchQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { getAnalytics } from "../../api/queries/analytics";
import { FIRST_FINDINGS, getValidationReport } from "../../api/queries/findings";
import { getOverview } from "../../api/queries/overview";
import { listRecentSyncs } from "../../api/queries/syncs";
import { listVessels } from "../../api/queries/vessels";
import type { Overview, SyncSummary, ValidationReport } from "../../api/types";
import { attentionItems, fleetStatus, hasSynced } from "../../format/fleet-status";
import { causeSentence, labelOf, SYNC_STATES } from "../../format/states";
import { syncName } from "../../format/sync";
import { Announcement } from "../../ui/announcement";
import { Card } from "../../ui/card";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { StartSync } from "../../ui/start-sync";
import { StateBadge } from "../../ui/state-badge";
import { StatusBanner } from "../../ui/status-banner";
import { SyncProgress } from "../../ui/sync-progress";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { Attention } from "./attention";
import { FleetMatrix } from "./fleet-matrix";
import { FleetTable } from "./fleet-table";
import { Health } from "./health";
import styles from "./overview.module.css";
import { RecentSyncs } from "./recent-syncs";
import { SyncCharts } from "./sync-charts";

/** Starts all requests of the page at once, the first two first: its parts would send theirs only when these are answered. */
function usePrefetchedParts() {
  usePrefetchQuery(getOverview());
  usePrefetchQuery(getValidationReport(FIRST_FINDINGS, "error"));
  usePrefetchQuery(listVessels());
  usePrefetchQuery(listRecentSyncs());
  usePrefetchQuery(getAnalytics({}));
}

export function OverviewPage() {
  usePrefetchedParts();
  const overview = useQuery(getOverview());
  const report = useQuery(getValidationReport(FIRST_FINDINGS, "error"));
  return (
    <Page title="Overview" actions={<StartSync />}>
      <QueryResult query={overview} lines={8}>
        {(data) => (
          // The status waits for both queries: it must not say "in sync" and then take it back.
          <QueryResult query={report} lines={8}>
            {(report) => <OverviewContent overview={data} report={report} />}
          </QueryResult>
        )}
      </QueryResult>
    </Page>
  );
}

function OverviewContent({ overview, report }: { overview: Overview; report: ValidationReport }) {
  const status = fleetStatus(overview, report);
  const last = overview.lastFullSync;
  return (
    <>
      <Announcement text={status.headline} />
      <StatusBanner status={status}>
        {last?.completedAt && status.tone !== "info" && (
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
      </StatusBanner>
      <Attention items={attentionItems(overview, report)} />
      {overview.running.map((sync) => (
        <RunningSync key={sync.syncId} sync={sync} fleet={overview.fleet} />
      ))}
      <FleetMatrix active={overview.fleet.find((count) => count.recordType === "vessel")?.active ?? 0} />
      <Card title="Recent syncs" aside={<Link to="/syncs">All syncs</Link>}>
        <RecentSyncs />
      </Card>
      {hasSynced(overview) && <SyncCharts />}
      <div className={styles.columns}>
        <Card title="Records in the maintenance portal" aside={<Link to="/data-quality">Data quality</Link>}>
          <FleetTable overview={overview} report={report} />
        </Card>
        <Card title="Health">
          <Health overview={overview} />
        </Card>
      </div>
    </>
  );
}

function RunningSync({ sync, fleet }: { sync: SyncSummary; fleet: Overview["fleet"] }) {
  return (
    <Card
      title={`${syncName(sync)} in progress`}
      aside={<StateBadge label={labelOf(SYNC_STATES, sync.state)} />}
    >
      <div className={styles.running}>
        <SyncProgress sync={sync} fleet={fleet} />
        <p className={text.dim}>
          {causeSentence(sync.cause)} (<bdi>{sync.requestedBy}</bdi>), <Time iso={sync.startedAt} />.{" "}
          <Link to="/syncs/$syncId" params={{ syncId: sync.syncId }}>
            View progress
          </Link>
        </p>
      </div>
    </Card>
  );
}
