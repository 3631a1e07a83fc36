import { Link } from "@tanstack/react-router";
import type { Overview, PartHealth } from "../../api/types";
import { capitalize } from "../../format/capitalize";
import { isRefusing } from "../../format/fleet-status";
import { formatCount } from "../../format/numbers";
import type { StateLabel } from "../../format/states";
import { Fact, FactList } from "../../ui/fact-list";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";

const RESPONDING: StateLabel = { tone: "good", icon: "check", word: "Responding" };
const NOT_RESPONDING: StateLabel = { tone: "bad", icon: "cross", word: "Not responding" };

const REFUSING: StateLabel = { tone: "bad", icon: "cross", word: "Refusing requests" };
const LAST_FAILED: StateLabel = { tone: "warn", icon: "warning", word: "Last request failed" };

/** How a system is, with what went wrong with the last request and when. */
export function PartState({ part }: { part: PartHealth }) {
  const { lastOutcome } = part;
  const failure = lastOutcome?.failure;
  const label = isRefusing(part) ? REFUSING : !part.ok ? NOT_RESPONDING : failure ? LAST_FAILED : RESPONDING;
  return (
    <>
      <StateBadge label={label} />
      {lastOutcome && failure && (
        <span className={text.dim}>
          {" "}
          {failure}, <Time iso={lastOutcome.endedAt} />
        </span>
      )}
    </>
  );
}

/** Whether the services respond, the last webhook, the next scheduled sync, and unpublished messages. */
export function Health({ overview }: { overview: Overview }) {
  return (
    <FactList>
      {overview.health.map((part) => (
        <Fact key={part.name} name={capitalize(part.name)}>
          <PartState part={part} />
        </Fact>
      ))}
      <Fact name="Last webhook">
        {overview.lastWebhookAt ? <Time iso={overview.lastWebhookAt} /> : "none yet"}
      </Fact>
      <Fact name="Next scheduled sync">
        {overview.nextScheduledAt ? (
          <Time iso={overview.nextScheduledAt} />
        ) : (
          <Link to="/schedules">none: off or paused</Link>
        )}
      </Fact>
      <Fact name="Unpublished messages" title="Committed to the database, not yet confirmed by the broker">
        {overview.unpublished === 0 ? "none" : formatCount(overview.unpublished)}
      </Fact>
      {overview.postponed ? (
        <Fact
          name="Postponed messages"
          title="Wait as long as the onboarding portal asked for, or until its circuit closes"
        >
          {formatCount(overview.postponed)}
        </Fact>
      ) : null}
    </FactList>
  );
}
