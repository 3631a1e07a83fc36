import type { ReactNode } from "react";
import type { Status } from "../format/status";
import styles from "./status-banner.module.css";

/** The status line that a page opens with. `figure` replaces the status's own where a component shows it (a time, say). */
export function StatusBanner(props: {
  status: Status;
  figure?: { value: ReactNode; unit: ReactNode };
  children?: ReactNode;
}) {
  const { tone, headline, detail } = props.status;
  const { children, figure = props.status.figure } = props;
  return (
    <section className={styles.banner} data-tone={tone} aria-label="Status">
      <div className={styles.text}>
        <p className={styles.headline}>{headline}</p>
        <p className={styles.detail}>
          {detail}
          {children && <> {children}</>}
        </p>
      </div>
      {figure && (
        <p className={styles.figure}>
          <span className={styles.value}>{figure.value}</span>
          <span>{figure.unit}</span>
        </p>
      )}
    </section>
  );
}
