import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { asProblem } from "../../api/problem";
import { previewSchedule } from "../../api/queries/schedules";
import { Icon } from "../../ui/icon";
import text from "../../ui/text.module.css";
import styles from "./schedule-preview.module.css";
import { ScheduleRuns } from "./schedule-runs";

/** An expression with fewer fields is still being typed: no error, and no request. */
const CRON_FIELDS = 5;

/** The meaning and the next times of a cron expression while it is typed, parsed by the server. */
export function SchedulePreview({
  cron,
  timeZone,
  isEnabled,
}: {
  cron: string;
  timeZone: string;
  isEnabled: boolean;
}) {
  const [debouncedCron] = useDebouncedValue(cron.trim(), 250);
  const isIncomplete = cron.trim().split(/\s+/).length < CRON_FIELDS;
  const preview = useQuery({
    ...previewSchedule(debouncedCron, timeZone),
    enabled: debouncedCron.split(/\s+/).length >= CRON_FIELDS,
    placeholderData: keepPreviousData,
  });
  const problem = preview.error ? asProblem(preview.error) : null;
  return (
    <div className={styles.preview} role="status" aria-label="Schedule preview">
      {isIncomplete ? (
        <p className={text.dim}>
          Minute, hour, day of month, month, day of week; seconds may stand before them. Example: 0 2 * * * is
          daily at 02:00.
        </p>
      ) : problem ? (
        <p className={styles.problem} data-tone="bad">
          <Icon name="cross" />
          <span className={text.sentence}>
            {problem.errors[0]?.detail ?? problem.detail ?? problem.title}
          </span>
        </p>
      ) : preview.data ? (
        <>
          <p className={`${text.strong} ${text.sentence}`}>{preview.data.description.replace(/\.$/, "")}</p>
          <ScheduleRuns preview={preview.data} timeZone={timeZone} isOn={isEnabled} />
        </>
      ) : (
        <p className={text.dim}>Checking the expression</p>
      )}
    </div>
  );
}
