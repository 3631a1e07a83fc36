import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import type { AttentionItem } from "../../format/fleet-status";
import { Card } from "../../ui/card";
import { Icon } from "../../ui/icon";
import text from "../../ui/text.module.css";
import styles from "./attention.module.css";

/** The items that need attention, each with a link. Absent without items. */
export function Attention({ items }: { items: AttentionItem[] }) {
  if (items.length === 0) return null;
  return (
    <Card title="Needs attention">
      <ul>
        {items.map((item) => (
          <li key={item.key} className={styles.item} data-tone={item.tone}>
            <Icon name={item.tone === "bad" ? "cross" : "warning"} size={16} />
            <div>
              <p className={text.strong}>{item.title}</p>
              <p className={text.dim}>{item.remedy}</p>
            </div>
            <AttentionLink to={item.to} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function AttentionLink({ to }: { to: AttentionItem["to"] }) {
  switch (to?.page) {
    case "sync":
      return (
        <Link to="/syncs/$syncId" params={{ syncId: to.syncId }} className={styles.link}>
          View sync <ArrowRight size={14} aria-hidden />
        </Link>
      );
    case "data-quality":
      return (
        <Link to="/data-quality" search={{ severity: "error" }} className={styles.link}>
          View records <ArrowRight size={14} aria-hidden />
        </Link>
      );
    case "conflicts":
      return (
        <Link to="/conflicts" className={styles.link}>
          View conflicts <ArrowRight size={14} aria-hidden />
        </Link>
      );
    case "schedules":
      return (
        <Link to="/schedules" className={styles.link}>
          View schedules <ArrowRight size={14} aria-hidden />
        </Link>
      );
    case "dead-letters":
      return (
        <Link to="/dead-letters" search={{ state: "dead" }} className={styles.link}>
          View dead letters <ArrowRight size={14} aria-hidden />
        </Link>
      );
    default:
      return null;
  }
}
