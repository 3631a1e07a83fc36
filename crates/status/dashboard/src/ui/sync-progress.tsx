import type { SyncSummary } from "../api/types";
import { formatCount, formatRate, percentOf } from "../format/numbers";
import { isOpen, PHASES, recordTypeNames } from "../format/states";
import { expectedRecords, tallyOf } from "../format/tally";
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

/** Progress of a sync in one bar with its rate. The bar appears when the number of expected records is known. */
export function SyncProgress({ sync }: { sync: SyncSummary }) {
  const now = useNow();
  const { total } = tallyOf(sync.counts);
  const expected = expectedRecords(sync);
  const runningMs = sync.runningAt ? now - Date.parse(sync.runningAt) : 0;
  return (
    <div className={styles.progress}>
      {expected !== null && (
        <progress
          className={styles.bar}
          aria-label="Records read"
          max={100}
          value={percentOf(total.read, expected) ?? 0}
        />
      )}
      <span className={styles.count}>
        {formatCount(total.read)}
        {expected !== null && ` of ${formatCount(expected)}`} records
        {isOpen(sync.state) && runningMs > 0 && (
          <span className={text.dim}> · {formatRate(total.read, runningMs) ?? "–"}</span>
        )}
      </span>
    </div>
  );
}
