import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types";
import { capitalize } from "../../format/capitalize";
import { formatCount } from "../../format/numbers";
import type { StateLabel } from "../../format/states";
import { Fact, FactList } from "../../ui/fact-list";
import { StateBadge } from "../../ui/state-badge";
import { Time } from "../../ui/time";

const RESPONDING: StateLabel = { tone: "good", icon: "check", word: "Responding" };
const NOT_RESPONDING: StateLabel = { tone: "bad", icon: "cross", word: "Not responding" };

/** Whether the services respond, the last webhook, the next scheduled sync, and unpublished messages. */
export function Health({ overview }: { overview: Overview }) {
  return (
    <FactList>
      {overview.health.map((part) => (
        <Fact key={part.name} name={capitalize(part.name)}>
          <StateBadge label={part.ok ? RESPONDING : NOT_RESPONDING} />
        </Fact>
      ))}
      <Fact name="Last webhook">
        {overview.lastWebhookAt ? <Time iso={overview.lastWebhookAt} /> : "none yet"}
      </Fact>
      <Fact name="Next scheduled sync">
        {overview.nextScheduledAt ? (
          <Time iso={overview.nextScheduledAt} />
        ) : (
          <Link to="/settings">schedule is off</Link>
        )}
      </Fact>
      <Fact name="Unpublished messages" title="Committed to the database, not yet confirmed by the broker">
        {overview.unpublished === 0 ? "none" : formatCount(overview.unpublished)}
      </Fact>
    </FactList>
  );
}
