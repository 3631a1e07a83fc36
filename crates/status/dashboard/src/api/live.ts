// The page's one connection to the updates stream, and its state as a hook.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { endReasonOf, endSession, sessionToken } from "./session";
import { type Connection, followStream } from "./sse";
import { UpdateApplier } from "./updates";
import { withVisibleText } from "./visible-text";

let connection: Connection = { state: "connecting" };
const listeners = new Set<() => void>();

function setConnection(next: Connection) {
  connection = next;
  for (const notify of listeners) notify();
}

export const useConnection = (): Connection =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );

/** Keeps the connection open while the component is mounted. */
export function useLiveUpdates(token: string): void {
  const cache = useQueryClient();
  useEffect(() => {
    const stop = new AbortController();
    const applier = new UpdateApplier(cache);
    let wasLost = false;
    followStream(
      {
        url: "/api/sync/updates",
        token,
        onEvent: (name, data) => applier.apply(name, withVisibleText(data)),
        onTokenEnd: (json) => {
          // Not a session that has begun since, with another token.
          if (sessionToken() === token) endSession(endReasonOf(json));
        },
        onConnection: (next) => {
          // Updates that the stream could not resume are lost, so all data is fetched again.
          if (next.state === "live" && wasLost) cache.invalidateQueries();
          wasLost = next.state === "reconnecting" || (wasLost && next.state !== "live");
          setConnection(next);
        },
      },
      stop.signal,
    );
    return () => stop.abort();
  }, [cache, token]);
}
