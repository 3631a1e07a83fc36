import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useCallback } from "react";
import { getOverview } from "../../api/queries/overview";
import { getSync } from "../../api/queries/syncs";
import { useFleetPart } from "../../api/session";
import type { SyncDetail } from "../../api/types";
import { formatCount, formatRate, plural } from "../../format/numbers";
import { causeSentence, isOpen, labelOf, SYNC_STATES } from "../../format/states";
import { syncName, syncStatus } from "../../format/sync";
import { vesselsOf } from "../../format/sync-request";
import { tallyOf } from "../../format/tally";
import { Announcement } from "../../ui/announcement";
import { AttemptTable } from "../../ui/attempt-table";
import { Card } from "../../ui/card";
import { CopyableId } from "../../ui/copyable-id";
import crumb from "../../ui/crumb.module.css";
import { EmptyState } from "../../ui/empty-state";
import { Fact, FactList } from "../../ui/fact-list";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { NamedRecordLink } from "../../ui/record-link";
import { StatusBanner } from "../../ui/status-banner";
import { PhaseProgress, SyncProgress } from "../../ui/sync-progress";
import { type CellLink, TallyTable } from "../../ui/tally-table";
import text from "../../ui/text.module.css";
import { Elapsed, Time } from "../../ui/time";
import { SyncActions } from "./actions";
import { Changes } from "./changes";
import { Findings } from "./findings";
import { MissingRecords } from "./missing-records";
import { OlderRecords } from "./older-records";
import { recordsLink } from "./records-link";
import styles from "./sync.module.css";
import { UndoneRecords } from "./undo";

const route = getRouteApi("/syncs/$syncId");

/** Time between two requests for a running sync of which no updates come, in ms. */
const UNFOLLOWED_INTERVAL = 2000;

export function SyncPage() {
  const { syncId } = route.useParams();
  const isForWhole = useFleetPart() === null;
  const sync = useQuery(getSync(syncId, isForWhole ? undefined : UNFOLLOWED_INTERVAL));
  return (
    <Page
      title={sync.data ? syncName(sync.data) : "Sync"}
      actions={sync.data && <SyncActions sync={sync.data} />}
    >
      <p className={crumb.crumb}>
        <Link to={isForWhole ? "/syncs" : "/"}>
          <ArrowLeft size={14} aria-hidden /> {isForWhole ? "Syncs" : "Overview"}
        </Link>
        <CopyableId text={syncId} name="sync ID" />
      </p>
      <QueryResult query={sync} lines={10}>
        {(sync) => <SyncContent sync={sync} />}
      </QueryResult>
    </Page>
  );
}

function SyncContent({ sync }: { sync: SyncDetail }) {
  const state = labelOf(SYNC_STATES, sync.state);
  const isSyncOpen = isOpen(sync.state);
  const { syncId, dryRun = false } = sync;
  // A token for a part of the fleet sees the sync, and no lists of it.
  const isForWhole = useFleetPart() === null;
  const fleet = useQuery({ ...getOverview(), enabled: isForWhole }).data?.fleet;
  const cellLink = useCallback<CellLink>((cell) => recordsLink(syncId, dryRun, cell), [syncId, dryRun]);
  return (
    <>
      <Announcement text={`This sync: ${state.word}`} />
      <StatusBanner
        status={syncStatus(sync, sync.tasks.dead)}
        figure={{
          value: <Elapsed since={sync.startedAt} until={sync.completedAt} />,
          unit: isSyncOpen ? "so far" : "from request to end",
        }}
      />

      <MissingRecords sync={sync} />
      {isForWhole && (
        <>
          <OlderRecords sync={sync} />
          <UndoneRecords syncId={syncId} />
        </>
      )}

      <Card title={isSyncOpen ? "Progress" : "Details"}>
        {isSyncOpen && (
          <div className={styles.progress}>
            <SyncProgress sync={sync} {...(fleet ? { fleet } : {})} />
            <PhaseProgress sync={sync} />
          </div>
        )}
        <SyncFacts sync={sync} />
      </Card>

      {dryRun && isForWhole && <Changes sync={sync} isSyncOpen={isSyncOpen} />}

      <Card title="Record counts">
        {sync.counts.length === 0 ? (
          <EmptyState title="No records read yet">
            {isSyncOpen
              ? "Counts appear after the first page."
              : "This sync ended before it had read a page."}
          </EmptyState>
        ) : (
          <TallyTable
            counts={sync.counts}
            state={sync.state}
            deadTasks={sync.tasks.dead}
            {...(isForWhole ? { cellLink } : {})}
          />
        )}
      </Card>

      <Card
        title="Findings"
        id="findings"
        aside={
          sync.findings > 0 ? <span className={text.dim}>{plural(sync.findings, "finding")}</span> : undefined
        }
      >
        {isForWhole || sync.findings === 0 ? (
          <Findings syncId={sync.syncId} count={sync.findings} isSyncOpen={isSyncOpen} />
        ) : (
          <p className={text.dim}>They stand on the page of the vessel.</p>
        )}
      </Card>

      <Card title="Failed attempts">
        {sync.attempts.length === 0 ? (
          <EmptyState title="No failed attempts">
            Attempts that fail are listed here. Transient failures are retried.
          </EmptyState>
        ) : (
          <AttemptTable attempts={sync.attempts} showTask />
        )}
      </Card>

      {/* After what went wrong; of a dry run, they are what it is for. */}
      {!dryRun && isForWhole && <Changes sync={sync} isSyncOpen={isSyncOpen} />}
    </>
  );
}

/** Vessels of a selective sync that are listed by name. */
const NAMED_VESSELS = 5;

function SyncFacts({ sync }: { sync: SyncDetail }) {
  const { total } = tallyOf(sync.counts);
  const isForWhole = useFleetPart() === null;
  const vessels = vesselsOf(sync);
  const rate =
    sync.runningAt && sync.completedAt
      ? formatRate(total.read, Date.parse(sync.completedAt) - Date.parse(sync.runningAt))
      : null;
  return (
    <FactList wide className={isOpen(sync.state) ? styles.belowProgress : undefined}>
      <Fact name="Cause">
        {causeSentence(sync.cause)} (<bdi>{sync.requestedBy}</bdi>)
      </Fact>
      {sync.reason && (
        <Fact name="Reason">
          <bdi>{sync.reason}</bdi>
        </Fact>
      )}
      {vessels.length > 0 && vessels.length <= NAMED_VESSELS && (
        <Fact name={vessels.length === 1 ? "Vessel" : "Vessels"}>
          {vessels.map((id) => (
            <p key={id}>
              <NamedRecordLink recordType="vessel" sourceId={id} />
            </p>
          ))}
        </Fact>
      )}
      {sync.retryOf && (
        <Fact name="Retry of">
          <Link to="/syncs/$syncId" params={{ syncId: sync.retryOf }}>
            the failures of an earlier sync
          </Link>
        </Fact>
      )}
      <Fact name="Requested">
        <Time iso={sync.startedAt} full />
      </Fact>
      {sync.completedAt && (
        <Fact name="Ended">
          <Time iso={sync.completedAt} full />
        </Fact>
      )}
      {isOpen(sync.state) && (
        <Fact name="Last heartbeat">
          <Time iso={sync.heartbeatAt} />
        </Fact>
      )}
      {rate && <Fact name="Rate">{rate}</Fact>}
      <Fact name="Tasks">
        {taskCounts(sync.tasks)}
        {sync.tasks.dead > 0 && isForWhole && (
          <>
            {" "}
            (
            <Link to="/dead-letters" search={{ state: "dead" }}>
              view dead letters
            </Link>
            )
          </>
        )}
      </Fact>
    </FactList>
  );
}

/** `31 done, 4 pending` */
function taskCounts(tasks: SyncDetail["tasks"]): string {
  const states = ["done", "pending", "retrying", "dead", "cancelled"] as const;
  const counts = states.filter((state) => tasks[state] > 0);
  return counts.map((state) => `${formatCount(tasks[state])} ${state}`).join(", ") || "none yet";
}
