import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { listRecentSyncs } from "../../api/queries/syncs";
import type { SyncSummary } from "../../api/types";
import { plural } from "../../format/numbers";
import { causeWord, isOpen, labelOf, SYNC_STATES } from "../../format/states";
import { syncName } from "../../format/sync";
import { tallyOf } from "../../format/tally";
import { formatDateTime, formatDuration } from "../../format/times";
import { useNow } from "../../ui/clock";
import { EmptyState } from "../../ui/empty-state";
import { Icon } from "../../ui/icon";
import { QueryResult } from "../../ui/query-result";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { useZone } from "../../ui/zone";
import styles from "./recent-syncs.module.css";

/** The last syncs as bars, oldest left: height by duration, colour by state, each a link. */
export function RecentSyncs() {
  const syncs = useQuery(listRecentSyncs());
  return (
    <QueryResult query={syncs} lines={2}>
      {({ data }) =>
        data.length === 0 ? (
          <EmptyState title="No syncs yet">
            Start a full sync, or approve a vessel in the onboarding portal.
          </EmptyState>
        ) : (
          <SyncBars syncs={[...data].reverse()} />
        )
      }
    </QueryResult>
  );
}

function SyncBars({ syncs }: { syncs: SyncSummary[] }) {
  const now = useNow();
  const zone = useZone();
  const durationOf = (sync: SyncSummary) =>
    Math.max(0, (sync.completedAt ? Date.parse(sync.completedAt) : now) - Date.parse(sync.startedAt));
  const longest = Math.max(...syncs.map(durationOf), 1);
  return (
    <div className={styles.strip}>
      <ol className={styles.bars}>
        {syncs.map((sync) => {
          const state = labelOf(SYNC_STATES, sync.state);
          // The square root keeps syncs of seconds visible beside syncs of hours.
          const height = 8 + Math.round(48 * Math.sqrt(durationOf(sync) / longest));
          const label = `${syncName(sync)}: ${state.word.toLowerCase()}, ${causeWord(sync.cause).toLowerCase()}, ${formatDateTime(sync.startedAt, zone, now)}, ${
            isOpen(sync.state) ? "running for" : "took"
          } ${formatDuration(durationOf(sync))}, ${plural(tallyOf(sync.counts).total.read, "record")} read`;
          return (
            <li key={sync.syncId}>
              <Link
                to="/syncs/$syncId"
                params={{ syncId: sync.syncId }}
                className={styles.sync}
                title={label}
                aria-label={label}
              >
                {state.tone !== "good" && (
                  <span className={text.toned} data-tone={state.tone}>
                    <Icon name={state.icon} size={11} />
                  </span>
                )}
                <span className={styles.bar} data-tone={state.tone} style={{ height }} />
              </Link>
            </li>
          );
        })}
      </ol>
      <p className={styles.legend}>
        <span>{syncs[0] && <Time iso={syncs[0].startedAt} />}</span>
        <span>longest: {formatDuration(longest)}</span>
      </p>
    </div>
  );
}
