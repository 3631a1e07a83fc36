import type { ReactNode } from "react";
import styles from "./two-lines.module.css";

/** A table cell's content in two lines, the second one dimmed. Isolated: a name from right to left reorders only itself. */
export function TwoLines({ children, second }: { children: ReactNode; second?: ReactNode }) {
  return (
    <span className={styles.lines}>
      <bdi>{children}</bdi>
      {second && <bdi className={styles.second}>{second}</bdi>}
    </span>
  );
}
