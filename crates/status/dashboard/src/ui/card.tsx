import type { ReactNode } from "react";
import styles from "./card.module.css";

export function Card(props: {
  title: string;
  /** For links to the card. */
  id?: string;
  aside?: ReactNode;
  /** For content that opens a dropdown beyond the card. */
  allowOverflow?: boolean;
  children: ReactNode;
}) {
  const { title, id, aside, allowOverflow, children } = props;
  return (
    <section id={id} className={styles.card} data-overflow={allowOverflow || undefined}>
      <div className={styles.head}>
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
