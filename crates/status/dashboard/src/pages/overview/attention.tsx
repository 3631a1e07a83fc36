import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import type { Need } from "../../format/fleet-status";
import { Icon } from "../../ui/icon";
import { Card } from "../../ui/page";

/** What waits for a person, each with the way to it; nothing when nothing does. */
export function Needs({ needs }: { needs: Need[] }) {
  if (needs.length === 0) return null;
  return (
    <Card title="Needs a person">
      <ul className="needs">
        {needs.map((need) => (
          <li key={need.key} data-tone={need.tone}>
            <Icon name={need.tone === "bad" ? "cross" : "warning"} size={16} />
            <div>
              <p className="strong">{need.what}</p>
              <p className="dim">{need.remedy}</p>
            </div>
            <WayTo to={need.to} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function WayTo({ to }: { to: Need["to"] }) {
  switch (to?.page) {
    case "sync":
      return (
        <Link to="/syncs/$syncId" params={{ syncId: to.syncId }} className="go">
          See why <ArrowRight size={14} aria-hidden />
        </Link>
      );
    case "records":
      return (
        <Link to="/records" search={{ severity: "error" }} className="go">
          See why <ArrowRight size={14} aria-hidden />
        </Link>
      );
    case "dead-letters":
      return (
        <Link to="/dead-letters" search={{ state: "dead" }} className="go">
          See them <ArrowRight size={14} aria-hidden />
        </Link>
      );
    default:
      return null;
  }
}
