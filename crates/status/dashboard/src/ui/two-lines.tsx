import type { ReactNode } from "react";
import styles from "./two-lines.module.css";

/** A table cell's content in two lines, the second one dimmed. */
export function TwoLines({ children, second }: { children: ReactNode; second?: ReactNode }) {
  return (
    <span className={styles.lines}>
      {children}
      {second && <span className={styles.second}>{second}</span>}
    </span>
  );
}
