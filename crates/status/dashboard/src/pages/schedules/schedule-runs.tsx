import type { ClockChange, LocalRun, SchedulePreview } from "../../api/types";
import { formatRelative, formatScheduledTime } from "../../format/times";
import { useNow } from "../../ui/clock";
import { Icon } from "../../ui/icon";
import text from "../../ui/text.module.css";
import styles from "./schedule-runs.module.css";

/** The next times of a schedule in its zone and in UTC, with what changes of the clocks do to them. */
export function ScheduleRuns(props: { preview: SchedulePreview; timeZone: string; isOn: boolean }) {
  const { preview, timeZone, isOn } = props;
  const now = useNow();
  const runs: LocalRun[] = preview.localRuns ?? preview.nextRuns.map((at) => ({ at }));
  if (runs.length === 0) return <p className={text.dim}>No date matches.</p>;
  const isUtc = timeZone === "UTC";
  return (
    <>
      <table className={styles.runs} aria-label="Next times">
        <thead>
          <tr>
            <th scope="col">{timeZone}</th>
            {!isUtc && <th scope="col">UTC</th>}
            <th scope="col">From now</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run, place) => (
            <tr key={run.at}>
              <td>
                <time dateTime={run.at}>{formatScheduledTime(run.at, timeZone, now)}</time>
                {run.note && <ClockNote note={run.note} />}
              </td>
              {!isUtc && <td>{formatScheduledTime(run.at, "UTC", now)}</td>}
              {/* Hidden from screen readers: it changes every second. */}
              <td className={text.dim} aria-hidden>
                {isOn || place > 0 ? formatRelative(run.at, now) : "once the schedule is on"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {preview.clockChanges && preview.clockChanges.length > 0 && (
        <ClockChanges changes={preview.clockChanges} timeZone={timeZone} />
      )}
    </>
  );
}

/** What a change of the clocks does to one time of the schedule. */
function ClockNote({ note }: { note: string }) {
  return (
    <span className={styles.note} data-tone="warn">
      <Icon name="warning" />
      <span className={text.sentence}>{note}</span>
    </span>
  );
}

/** Changes of the zone's clocks in the next year, each with the first time of the schedule after it. */
function ClockChanges({ changes, timeZone }: { changes: ClockChange[]; timeZone: string }) {
  const now = useNow();
  return (
    <ul className={styles.changes} aria-label="Changes of the clocks">
      {changes.map(({ at, offsetBefore, offsetAfter, firstRun }) => (
        <li key={at}>
          <Icon name="clock" />
          <span>
            Clocks change {formatScheduledTime(at, timeZone, now)}, from UTC{offsetBefore} to UTC{offsetAfter}
            .
            {firstRun && (
              <>
                {" "}
                First time from that day on: {formatScheduledTime(firstRun.at, timeZone, now)} (
                {formatScheduledTime(firstRun.at, "UTC", now)} UTC).
                {firstRun.note && <ClockNote note={firstRun.note} />}
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
