import type { StateLabel } from "../format/states";
import { Icon } from "./icon";
import styles from "./state-badge.module.css";

export function StateBadge({ label }: { label: StateLabel }) {
  return (
    <span className={styles.badge} data-tone={label.tone}>
      <Icon name={label.icon} />
      {label.word}
    </span>
  );
}
