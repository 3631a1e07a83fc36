import type { ReactNode } from "react";
import { useConnection } from "../api/live";
import { clockOffset } from "../api/server-clock";
import type { IconName, Tone } from "../format/states";
import type { Status } from "../format/status";
import { formatDateTime } from "../format/times";
import { useNow } from "./clock";
import { Icon } from "./icon";
import styles from "./status-banner.module.css";
import { useZone } from "./zone";

/** A connection that is back sooner changes no status. */
const LOST_DELAY = 2000;

/** Of when the status is, if live updates are lost. */
function useAsOf(): string | null {
  const connection = useConnection();
  const zone = useZone();
  const now = useNow();
  if (connection.state === "closed") return "Live updates have ended: this may be out of date.";
  if (connection.state !== "reconnecting") return null;
  const lostAt = connection.since + clockOffset();
  if (now - lostAt < LOST_DELAY) return null;
  return `As of ${formatDateTime(new Date(lostAt).toISOString(), zone, now)}: the live connection is lost.`;
}

const TONE_ICONS: Partial<Record<Tone, IconName>> = {
  info: "running",
  good: "check",
  warn: "warning",
  bad: "cross",
};

interface Props {
  status: Status;
  figure?: { value: ReactNode; unit: ReactNode };
  children?: ReactNode;
}

/**
 * The status line that a page opens with; a tinted box for bad news only. `figure` replaces the status's own where a component shows
 * it (a time, say). While the status is not known its place is kept free, so that the list below does not move.
 */
export function StatusBanner({ status, ...rest }: Omit<Props, "status"> & { status: Status | undefined }) {
  return status ? <KnownStatus status={status} {...rest} /> : <div className={styles.place} />;
}

function KnownStatus(props: Props) {
  const { headline, detail } = props.status;
  const asOf = useAsOf();
  // What was good when the connection was lost may not be good any more.
  const tone = asOf && props.status.tone === "good" ? "neutral" : props.status.tone;
  const { children, figure = props.status.figure } = props;
  return (
    <section className={styles.banner} data-tone={tone} aria-label="Status">
      {TONE_ICONS[tone] && (
        <span className={styles.icon}>
          <Icon name={TONE_ICONS[tone]} size={20} />
        </span>
      )}
      <div className={styles.text}>
        <p className={styles.headline}>{headline}</p>
        <p className={styles.detail}>
          {detail}
          {children && <> {children}</>}
          {asOf && <span className={styles.asOf}>{asOf}</span>}
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
