// The one live connection of the page, and its state for whoever shows it.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { type Connection, followStream } from "./sse";
import { UpdateApplier } from "./updates";

let connection: Connection = { state: "connecting" };
const listeners = new Set<() => void>();

function set(next: Connection) {
  connection = next;
  for (const tell of listeners) tell();
}

export const useConnection = (): Connection =>
  useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => connection,
  );

/** Holds the live connection open while mounted. */
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
        onEvent: (name, data) => applier.apply(name, data),
        onConnection: (next) => {
          // What the stream could not resume is asked for again.
          if (next.state === "live" && wasLost) cache.invalidateQueries();
          wasLost = next.state === "reconnecting" || (wasLost && next.state !== "live");
          set(next);
        },
      },
      stop.signal,
    );
    return () => stop.abort();
  }, [cache, token]);
}
