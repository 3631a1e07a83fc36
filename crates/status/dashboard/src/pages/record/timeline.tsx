import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getTimeline } from "../../api/queries/records";
import { useFleetPart } from "../../api/session";
import type { RecordType, Timeline as TimelineData, TimelineEntry } from "../../api/types";
import { labelOf, TIMELINE_KINDS } from "../../format/states";
import { formatDateTime } from "../../format/times";
import { useNow } from "../../ui/clock";
import { EmptyState } from "../../ui/empty-state";
import { FieldDiff } from "../../ui/field-diff";
import { Icon } from "../../ui/icon";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { useZone } from "../../ui/zone";
import styles from "./timeline.module.css";

const PAGE_SIZE = 10;
const route = getRouteApi("/records/$recordType/$sourceId");

/** All that happened to a record, newest first. */
export function Timeline({ recordType, sourceId }: { recordType: RecordType; sourceId: string }) {
  const { timeline: page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const timeline = useQuery(
    getTimeline(recordType, sourceId, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }),
  );
  return (
    <QueryResult query={timeline} lines={6}>
      {(data) => (
        <>
          {data.pagination.total === 0 ? (
            <EmptyState title="Nothing happened yet">
              Webhooks, syncs, conflicts and edits of the record are listed here.
            </EmptyState>
          ) : (
            <>
              <TimelineList entries={data.entries} />
              <Pager
                page={page}
                pageSize={PAGE_SIZE}
                total={data.pagination}
                itemNoun="entries"
                onPage={(next) =>
                  navigate({
                    search: (old) => ({ ...old, timeline: next > 1 ? next : undefined }),
                    resetScroll: false,
                  })
                }
              />
            </>
          )}
          <KeptSince keptSince={data.keptSince} />
        </>
      )}
    </QueryResult>
  );
}

export function TimelineList({ entries }: { entries: TimelineEntry[] }) {
  return (
    <ol aria-label="Timeline">
      {entries.map((entry, place) => (
        // Entries have no id, and several of a kind may have one time.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Entry key={`${entry.at} ${entry.kind} ${place}`} entry={entry} />
      ))}
    </ol>
  );
}

function Entry({ entry }: { entry: TimelineEntry }) {
  const isRejection =
    entry.kind === "finding" && (entry.detail as { severity?: unknown }).severity === "error";
  const label = labelOf(TIMELINE_KINDS, entry.kind);
  const { tone, icon, word } = isRejection
    ? { tone: "bad" as const, icon: "cross" as const, word: "Rejected" }
    : label;
  return (
    <li className={styles.entry} data-tone={tone}>
      <span className={styles.mark}>
        <Icon name={icon} size={12} />
      </span>
      <div className={styles.content}>
        <p className={styles.head}>
          <span className={styles.kind}>{word}</span>
          <span className={text.dim}>
            <Time iso={entry.at} full />
          </span>
        </p>
        <p>
          <bdi className={text.breakAnywhere}>{entry.summary}</bdi> <EntryLinks entry={entry} />
        </p>
        <FieldDiff label={`${word}: fields`} before={entry.before} after={entry.after} />
      </div>
    </li>
  );
}

function EntryLinks({ entry }: { entry: TimelineEntry }) {
  const { syncId, webhookEventId, conflictId, deadLetterId } = entry;
  // These pages are about the whole fleet.
  if (useFleetPart()) return null;
  return (
    <span className={styles.links}>
      {syncId && (
        <Link to="/syncs/$syncId" params={{ syncId }}>
          View sync
        </Link>
      )}
      {webhookEventId && (
        <Link to="/webhooks" search={{ open: webhookEventId }}>
          View webhook
        </Link>
      )}
      {conflictId && (
        <Link to="/conflicts" search={{ open: conflictId }}>
          View conflict
        </Link>
      )}
      {deadLetterId && (
        <Link to="/dead-letters" search={{ open: deadLetterId }}>
          View dead letter
        </Link>
      )}
    </span>
  );
}

/** What the timeline cannot have: retention has removed it. */
function KeptSince({ keptSince: { syncs, webhookEvents } }: { keptSince: TimelineData["keptSince"] }) {
  const zone = useZone();
  const now = useNow();
  const kept = [
    ...(syncs ? [`syncs since ${formatDateTime(syncs, zone, now)}`] : []),
    ...(webhookEvents ? [`webhooks since ${formatDateTime(webhookEvents, zone, now)}`] : []),
  ];
  return (
    <p className={`${text.dim} ${styles.kept}`}>
      {kept.length > 0 && `History is kept of ${kept.join(" and ")}. `}A sync that found the record unchanged
      has no entry.
    </p>
  );
}
