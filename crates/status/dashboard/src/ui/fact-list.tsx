import type { ReactNode } from "react";
import styles from "./fact-list.module.css";

/** Names and values. `wide`: in columns where the width allows. */
export function FactList(props: { wide?: boolean; className?: string | undefined; children: ReactNode }) {
  const { wide = false, className = "", children } = props;
  return <dl className={wide ? `${styles.wide} ${className}` : className}>{children}</dl>;
}

export function Fact({ name, title, children }: { name: string; title?: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt className={styles.name}>{name}</dt>
      <dd className={styles.value} title={title}>
        {children}
      </dd>
    </div>
  );
}
