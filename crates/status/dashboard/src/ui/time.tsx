import { formatCount } from "../format/numbers";
import { formatDateTime, formatDuration, formatExactDateTime, formatRelative } from "../format/times";
import { useNow } from "./clock";
import text from "./text.module.css";
import styles from "./time.module.css";
import { useZone } from "./zone";

/** `3 min ago`, with the exact time on hover. `full` puts the date and time before it. */
export function Time({ iso, full = false }: { iso: string; full?: boolean }) {
  const zone = useZone();
  const now = useNow();
  return (
    <time dateTime={iso} title={formatExactDateTime(iso, zone)} className={styles.time}>
      {full && <span className={styles.part}>{formatDateTime(iso, zone, now)}</span>}{" "}
      <span className={full ? `${styles.part} ${text.dim}` : styles.part}>{formatRelative(iso, now)}</span>
    </time>
  );
}

/** The duration from `since` to `until`, or up to now while `until` is unknown. */
export function Elapsed({ since, until }: { since: string; until: string | null | undefined }) {
  const now = useNow();
  const ms = Math.max(0, (until ? Date.parse(until) : now) - Date.parse(since));
  return (
    <span title={`${formatCount(ms)} ms`}>{formatDuration(until ? ms : Math.floor(ms / 1000) * 1000)}</span>
  );
}
