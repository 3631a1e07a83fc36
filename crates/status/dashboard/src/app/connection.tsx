import { Button } from "@mantine/core";
import { useConnection } from "../api/live";
import { moment } from "../format/times";
import { useNow } from "../ui/clock";
import { useZone } from "../ui/time";

/** The truth about the live connection, in the top bar. */
export function ConnectionMark() {
  const connection = useConnection();
  const words = { connecting: "connecting", live: "live", reconnecting: "reconnecting", closed: "not live" };
  return (
    <span className="connection" data-state={connection.state} role="status">
      <span className="dot" aria-hidden />
      {words[connection.state]}
    </span>
  );
}

/** Says since when figures stand still, once that is longer than a blink, and marks them. */
export function StaleNote() {
  const connection = useConnection();
  if (connection.state === "closed") {
    return (
      <p className="note stale" data-tone="warn">
        <span>This page is not live any more: the service has ended the connection. Load it again.</span>
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          Load again
        </Button>
      </p>
    );
  }
  return connection.state === "reconnecting" ? (
    <Since since={connection.since} retryAt={connection.retryAt} />
  ) : null;
}

/** A lost connection that is back within this is not worth a word. */
const BLINK = 2000;

function Since({ since, retryAt }: { since: number; retryAt: number }) {
  const now = useNow();
  const zone = useZone();
  if (now - since < BLINK) return null;
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000));
  return (
    <p className="note stale" data-tone="warn">
      <span>
        Figures stand as of {moment(new Date(since).toISOString(), zone, now)}: the live connection is lost.{" "}
        {seconds > 0 ? `Trying again in ${seconds} s.` : "Trying now."}
      </span>
    </p>
  );
}
