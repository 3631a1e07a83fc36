import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { listSyncs } from "../../api/queries";
import type { SyncSummary } from "../../api/types";
import { plural } from "../../format/numbers";
import { CAUSE_WORDS, isOpen, look, SYNC_STATES } from "../../format/states";
import { runName } from "../../format/sync";
import { account } from "../../format/tally";
import { duration, moment } from "../../format/times";
import { useNow } from "../../ui/clock";
import { Icon } from "../../ui/icon";
import { Empty } from "../../ui/page";
import { Answer } from "../../ui/query-result";
import { Time, useZone } from "../../ui/time";

const RUNS = 24;

/** The last runs as bars, oldest left: as high as they took long, coloured by how they ended; each is a link. */
export function LastRuns() {
  const runs = useQuery(listSyncs({ limit: RUNS, offset: 0 }, undefined));
  return (
    <Answer of={runs} lines={2}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty title="No sync has run yet">
            Start a full sync, or approve a vessel in the onboarding portal.
          </Empty>
        ) : (
          <Strip runs={[...data].reverse()} />
        )
      }
    </Answer>
  );
}

function Strip({ runs }: { runs: SyncSummary[] }) {
  const now = useNow();
  const zone = useZone();
  const took = (run: SyncSummary) =>
    Math.max(0, (run.completedAt ? Date.parse(run.completedAt) : now) - Date.parse(run.startedAt));
  const longest = Math.max(...runs.map(took), 1);
  return (
    <div className="strip-frame">
      <ol className="strip">
        {runs.map((run) => {
          const state = look(SYNC_STATES, run.state);
          // Runs of seconds and of hours stand side by side: the root keeps both visible.
          const height = 8 + Math.round(48 * Math.sqrt(took(run) / longest));
          const words = `${runName(run)}: ${state.word.toLowerCase()}, ${CAUSE_WORDS[run.cause].toLowerCase()}, ${moment(run.startedAt, zone, now)}, ${
            isOpen(run.state) ? "running for" : "took"
          } ${duration(took(run))}, ${plural(account(run.counts).total.read, "record")} read`;
          return (
            <li key={run.syncId}>
              <Link to="/syncs/$syncId" params={{ syncId: run.syncId }} title={words} aria-label={words}>
                {state.tone !== "good" && (
                  <span className="tinted" data-tone={state.tone}>
                    <Icon name={state.icon} size={11} />
                  </span>
                )}
                <span className="strip-bar" data-tone={state.tone} style={{ height }} />
              </Link>
            </li>
          );
        })}
      </ol>
      <p className="strip-legend">
        <span>{runs[0] && <Time iso={runs[0].startedAt} />}</span>
        <span>the longest took {duration(longest)}</span>
      </p>
    </div>
  );
}
