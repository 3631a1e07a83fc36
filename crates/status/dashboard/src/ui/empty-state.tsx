import type { ReactNode } from "react";
import styles from "./empty-state.module.css";
import text from "./text.module.css";

/** An empty list: its title says what is missing, its text what will fill it. `framed`: outside a card. */
export function EmptyState(props: { title: string; framed?: boolean; children: ReactNode }) {
  const { title, framed, children } = props;
  return (
    <div className={styles.empty} data-framed={framed || undefined}>
      <p className={styles.title}>{title}</p>
      <p className={text.dim}>{children}</p>
    </div>
  );
}
