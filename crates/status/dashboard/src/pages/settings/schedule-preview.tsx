import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { asProblem } from "../../api/problem";
import { previewSchedule } from "../../api/queries";
import { relative, tick } from "../../format/times";
import { useNow } from "../../ui/clock";
import { Icon } from "../../ui/icon";

/** An expression that is not typed to its end yet is no mistake, and nothing to ask the server about. */
const FIELDS = 5;

/** What a cron expression means and when it comes next, while it is typed; the server is the one who reads it. */
export function SchedulePreview({ cron, timeZone, on }: { cron: string; timeZone: string; on: boolean }) {
  const [asked] = useDebouncedValue(cron.trim(), 250);
  const unfinished = cron.trim().split(/\s+/).length < FIELDS;
  const preview = useQuery({
    ...previewSchedule(asked, timeZone),
    enabled: asked.split(/\s+/).length >= FIELDS,
    placeholderData: keepPreviousData,
  });
  const now = useNow();
  const problem = preview.error ? asProblem(preview.error) : null;
  return (
    <div className="schedule-preview" role="status">
      {unfinished ? (
        <p className="dim">
          Five fields: minute, hour, day of month, month, day of week. 0 2 * * * is every night at two.
        </p>
      ) : problem ? (
        <p className="tinted with-icon" data-tone="bad">
          <Icon name="cross" />
          <span className="first-up">{problem.errors[0]?.detail ?? problem.detail ?? problem.title}</span>
        </p>
      ) : preview.data ? (
        <>
          <p className="strong first-up">{preview.data.description.replace(/\.$/, "")}</p>
          {preview.data.nextRuns.length === 0 ? (
            <p className="dim">It never comes.</p>
          ) : (
            <ol>
              {preview.data.nextRuns.map((at, place) => (
                <li key={at}>
                  <time dateTime={at}>{tick(at, timeZone)}</time>
                  {place === 0 && (
                    // Not read out: it changes with every second that passes.
                    <span className="dim" aria-hidden={on || undefined}>
                      {" "}
                      {on ? relative(at, now) : "if it were on"}
                    </span>
                  )}
                </li>
              ))}
            </ol>
          )}
        </>
      ) : (
        <p className="dim">Reading the expression</p>
      )}
    </div>
  );
}
