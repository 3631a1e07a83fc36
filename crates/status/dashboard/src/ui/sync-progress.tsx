import type { SyncSummary } from "../api/types";
import { formatCount, formatRate, percentOf } from "../format/numbers";
import { isOpen, PHASES, RECORD_TYPES } from "../format/states";
import { expectedRecords, tallyOf } from "../format/tally";
import { useNow } from "./clock";

/** Progress of a sync by phase and record type. */
export function PhaseProgress({ sync }: { sync: SyncSummary }) {
  return (
    <ol className="phases">
      {PHASES.map((phase) => {
        const isDone = !isOpen(sync.state) || sync.phase > phase.number;
        const word = isDone ? "done" : sync.phase >= phase.number ? "in progress" : "waiting";
        return (
          <li key={phase.number} data-state={word}>
            <div className="phase-head">
              <span>
                Phase {phase.number}: {phase.title}
              </span>
              <span className="dim">{word}</span>
            </div>
            {phase.types.map((type) => {
              const row = sync.counts.find((counts) => counts.recordType === type);
              return (
                <ProgressLine
                  key={type}
                  label={RECORD_TYPES[type].many}
                  read={row?.read ?? 0}
                  expected={row?.expected ?? null}
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

function ProgressLine(props: { label: string; read: number; expected: number | null; isDone: boolean }) {
  const { label, read, expected, isDone } = props;
  const percent = isDone && expected === null ? 100 : percentOf(read, expected);
  return (
    <div className="bar-line">
      <span>{label}</span>
      <progress className="bar" aria-label={label} max={100} value={percent ?? 0} />
      <span className="figure">
        {formatCount(read)} {expected !== null && <span className="dim">of {formatCount(expected)}</span>}
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
    <div className="run-progress">
      {expected !== null && (
        <progress
          className="bar"
          aria-label="Records read"
          max={100}
          value={percentOf(total.read, expected) ?? 0}
        />
      )}
      <span className="figure">
        {formatCount(total.read)}
        {expected !== null && ` of ${formatCount(expected)}`} records
        {isOpen(sync.state) && runningMs > 0 && (
          <span className="dim"> · {formatRate(total.read, runningMs) ?? "–"}</span>
        )}
      </span>
    </div>
  );
}
