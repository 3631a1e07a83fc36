import type { SyncSummary } from "../api/types";
import { count, percent, rate } from "../format/numbers";
import { isOpen, PHASES, RECORD_TYPES } from "../format/states";
import { account, announced } from "../format/tally";
import { useNow } from "./clock";

/** How far a run has come, phase by phase. */
export function PhaseProgress({ run }: { run: SyncSummary }) {
  return (
    <ol className="phases">
      {PHASES.map((phase) => {
        const ended = !isOpen(run.state) || run.phase > phase.number;
        const begun = run.phase >= phase.number;
        const word = ended ? "done" : begun ? "at work" : "waits";
        return (
          <li key={phase.number} data-state={word}>
            <div className="phase-head">
              <span>
                Phase {phase.number}: {phase.title}
              </span>
              <span className="dim">{word}</span>
            </div>
            {phase.types.map((type) => {
              const row = run.counts.find((c) => c.recordType === type);
              const read = row?.read ?? 0;
              const expected = row?.expected ?? null;
              return (
                <Bar key={type} label={RECORD_TYPES[type].many} part={read} all={expected} ended={ended} />
              );
            })}
          </li>
        );
      })}
    </ol>
  );
}

function Bar(props: { label: string; part: number; all: number | null; ended: boolean }) {
  const { label, part, all, ended } = props;
  const share = ended && all === null ? 100 : percent(part, all);
  return (
    <div className="bar-line">
      <span>{label}</span>
      <progress className="bar" aria-label={label} max={100} value={share ?? 0} />
      <span className="figure">
        {count(part)} {all !== null && <span className="dim">of {count(all)}</span>}
      </span>
    </div>
  );
}

/** One bar for the whole run, as soon as its whole is known, with its rate: for lists and the overview. */
export function RunProgress({ run }: { run: SyncSummary }) {
  const now = useNow();
  const { total } = account(run.counts);
  const expected = announced(run);
  const since = run.runningAt ? now - Date.parse(run.runningAt) : 0;
  return (
    <div className="run-progress">
      {expected !== null && (
        <progress
          className="bar"
          aria-label="Records read"
          max={100}
          value={percent(total.read, expected) ?? 0}
        />
      )}
      <span className="figure">
        {count(total.read)}
        {expected !== null && ` of ${count(expected)}`} records
        {isOpen(run.state) && since > 0 && <span className="dim"> · {rate(total.read, since) ?? "–"}</span>}
      </span>
    </div>
  );
}
