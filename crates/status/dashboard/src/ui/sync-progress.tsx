import type { FleetCount, SyncSummary } from "../api/types";
import { formatCount, formatRate, percentOf } from "../format/numbers";
import { isOpen, PHASES, recordTypeNames } from "../format/states";
import { estimatedRecords, expectedRecords, tallyOf } from "../format/tally";
import { formatEstimate } from "../format/times";
import { useNow } from "./clock";
import styles from "./sync-progress.module.css";
import text from "./text.module.css";

/** Progress of a sync by phase and record type. */
export function PhaseProgress({ sync }: { sync: SyncSummary }) {
  return (
    <ol className={styles.phases}>
      {PHASES.map((phase) => {
        const isDone = !isOpen(sync.state) || sync.phase > phase.number;
        const word = isDone ? "done" : sync.phase >= phase.number ? "in progress" : "waiting";
        return (
          <li key={phase.number} className={isDone ? styles.done : undefined}>
            <div className={styles.phaseHead}>
              <span>
                Phase {phase.number}: {phase.title}
              </span>
              <span className={styles.phaseState}>{word}</span>
            </div>
            {phase.types.map((type) => {
              const row = sync.counts.find((counts) => counts.recordType === type);
              return (
                <ProgressLine
                  key={type}
                  label={recordTypeNames(type).many}
                  read={row?.read ?? 0}
                  expected={row?.expected ?? null}
                  isReached={row?.reached ?? false}
                  isDone={isDone}
                />
              );
            })}
          </li>
        );
      })}
    </ol>
  );
}

function ProgressLine(props: {
  label: string;
  read: number;
  expected: number | null;
  isReached: boolean;
  isDone: boolean;
}) {
  const { label, read, expected, isReached, isDone } = props;
  // A phase can end without a type whose tasks were given up.
  const isLeftOut = isDone && !isReached;
  const percent = isDone && isReached && expected === null ? 100 : percentOf(read, expected);
  return (
    <div className={styles.line}>
      <span>{label}</span>
      <progress className={styles.bar} aria-label={label} max={100} value={percent ?? 0} />
      <span className={styles.count}>
        {isLeftOut ? "not reached" : formatCount(read)}{" "}
        {expected !== null && <span className={text.dim}>of {formatCount(expected)}</span>}
      </span>
    </div>
  );
}

/** The rate of a shorter time says too little about the time left, in ms. */
const ESTIMATE_MIN_TIME = 3000;

/**
 * Progress of a sync in one bar with per cent, rate and time left. A full sync learns the number of a record type only when it
 * comes to it: until then, the number is estimated from the `fleet` that is here, and said to be about so many.
 */
export function SyncProgress({ sync, fleet = [] }: { sync: SyncSummary; fleet?: FleetCount[] }) {
  const now = useNow();
  const { read } = tallyOf(sync.counts).total;
  const known = expectedRecords(sync);
  const expected = known ?? estimatedRecords(sync, fleet);
  const about = known === null ? "about " : "";
  const percent = percentOf(read, expected);
  const runningMs = sync.runningAt ? now - Date.parse(sync.runningAt) : 0;
  const rate = formatRate(read, runningMs);
  const left =
    expected !== null && read > 0 && read < expected && runningMs >= ESTIMATE_MIN_TIME
      ? (runningMs / read) * (expected - read)
      : null;
  return (
    <div className={styles.progress}>
      {percent !== null && (
        <progress className={styles.bar} aria-label="Records read" max={100} value={percent} />
      )}
      <span className={styles.figures}>
        {percent !== null && (
          <strong>
            {about}
            {percent} %
          </strong>
        )}
        <span>
          {formatCount(read)}
          {expected !== null && ` of ${about}${formatCount(expected)}`} records
        </span>
        {isOpen(sync.state) && (
          <>
            <span className={text.dim}>{rate ?? "rate not known yet"}</span>
            {/* A sync whose tasks all wait gets no nearer to its end. */}
            {left !== null && sync.state === "running" && (
              <span className={text.dim}>{formatEstimate(left)} left</span>
            )}
          </>
        )}
      </span>
    </div>
  );
}
