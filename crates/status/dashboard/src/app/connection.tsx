import { Button } from "@mantine/core";
import { useConnection } from "../api/live";
import { clockOffset } from "../api/server-clock";
import { formatDateTime } from "../format/times";
import { useNow } from "../ui/clock";
import { Note } from "../ui/note";
import { useZone } from "../ui/zone";
import styles from "./connection.module.css";

/** The state of the live connection, in the top bar. Absent where there is none to have. */
export function ConnectionIndicator() {
  const connection = useConnection();
  if (connection.state === "none") return null;
  const words = {
    connecting: "connecting",
    live: "live",
    reconnecting: "reconnecting",
    closed: "disconnected",
  };
  return (
    <span className={styles.connection} data-state={connection.state} role="status">
      <span className={styles.dot} aria-hidden />
      {words[connection.state]}
    </span>
  );
}

/** Says that live updates are lost, and marks the page's data as old (see the style sheet). */
export function ConnectionNote() {
  const connection = useConnection();
  if (connection.state === "closed") {
    return (
      <Note
        tone="warn"
        className={styles.note}
        actions={
          <Button size="xs" variant="default" onClick={() => location.reload()}>
            Reload
          </Button>
        }
      >
        Live updates have ended: the service closed the connection. Reload the page.
      </Note>
    );
  }
  return connection.state === "reconnecting" ? (
    <ReconnectingNote since={connection.since} retryAt={connection.retryAt} />
  ) : null;
}

/** A connection that is back sooner is not mentioned. */
const NOTICE_DELAY = 2000;

function ReconnectingNote({ since, retryAt }: { since: number; retryAt: number }) {
  const now = useNow();
  const zone = useZone();
  // Connections are timed by the browser's clock.
  const lostAt = since + clockOffset();
  if (now - lostAt < NOTICE_DELAY) return null;
  const seconds = Math.max(0, Math.ceil((retryAt + clockOffset() - now) / 1000));
  return (
    <Note tone="warn" className={styles.note}>
      The live connection is lost. Data as of {formatDateTime(new Date(lostAt).toISOString(), zone, now)}.{" "}
      {seconds > 0 ? `Reconnecting in ${seconds} s.` : "Reconnecting now."}
    </Note>
  );
}
