import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types";
import { count, plural } from "../../format/numbers";
import { Icon } from "../../ui/icon";
import { Time } from "../../ui/time";

/** Whether the parts of the system answer, and what they last did and do next. */
export function Parts({ overview }: { overview: Overview }) {
  return (
    <dl className="facts">
      {overview.health.map((part) => (
        <div key={part.name}>
          <dt className="first-up">{part.name}</dt>
          <dd>
            <span className="badge" data-tone={part.ok ? "good" : "bad"}>
              <Icon name={part.ok ? "check" : "cross"} />
              {part.ok ? "Answers" : "Does not answer"}
            </span>
          </dd>
        </div>
      ))}
      <div>
        <dt>Last webhook</dt>
        <dd>{overview.lastWebhookAt ? <Time iso={overview.lastWebhookAt} /> : "none yet"}</dd>
      </div>
      <div>
        <dt>Next scheduled sync</dt>
        <dd>
          {overview.nextScheduledAt ? (
            <Time iso={overview.nextScheduledAt} />
          ) : (
            <Link to="/settings">the schedule is off</Link>
          )}
        </dd>
      </div>
      <div>
        <dt>Waiting for the broker</dt>
        <dd title={`${count(overview.unpublished)} committed, not yet confirmed`}>
          {overview.unpublished === 0 ? "nothing" : plural(overview.unpublished, "message")}
        </dd>
      </div>
    </dl>
  );
}
