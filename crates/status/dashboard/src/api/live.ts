// The tab's live updates, and the state of its connection as a hook.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { currentSession, endReasonOf, endSession, sessionKey } from "./session";
import type { Connection } from "./sse";
import { openStream } from "./stream-source";
import { UpdateApplier } from "./updates";
import { withVisibleText } from "./visible-text";

let connection: Connection = { state: "connecting" };
const listeners = new Set<() => void>();

export function setConnection(next: Connection) {
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

/**
 * Follows the updates of a session while the component is mounted and the tab is visible; none without a session. `isOpen`:
 * the service has them open to the session.
 */
export function useLiveUpdates(session: string | null, isOpen: boolean): void {
  const cache = useQueryClient();
  useEffect(() => {
    if (!isOpen) setConnection({ state: "none" });
    if (session === null || !isOpen) return;
    const applier = new UpdateApplier(cache);
    // When the tab last had every update, in ms since the epoch; null while it has.
    let lostAt: number | null = Date.now();
    const stream = openStream({
      url: "/api/sync/updates",
      session,
      onEvent: (name, data) => applier.apply(name, withVisibleText(data)),
      onTokenEnd: (json) => {
        const current = currentSession();
        // Not a session that has begun since, with another token.
        if (current && sessionKey(current) === session) endSession(endReasonOf(json));
      },
      onConnection: (next) => {
        if (next.state === "live") {
          // Updates before this moment may be lost, so all data is fetched again.
          if (lostAt !== null) cache.invalidateQueries();
          lostAt = null;
        } else if (next.state === "reconnecting") lostAt = Math.min(lostAt ?? next.since, next.since);
        setConnection(next.state === "reconnecting" ? { ...next, since: lostAt ?? next.since } : next);
      },
    });
    const leave = () => {
      lostAt ??= Date.now();
      stream.leave();
    };
    const stopWatching = watchVisibility({
      onVisible: stream.follow,
      onHidden: leave,
      hiddenDelay: () => stream.hiddenDelay,
    });
    return () => {
      stopWatching();
      leave();
    };
  }, [cache, session, isOpen]);
}

/** Calls `onVisible` at once if the tab is visible, `onHidden` when it has been hidden for `hiddenDelay` or is left. */
export function watchVisibility(options: {
  onVisible: () => void;
  onHidden: () => void;
  hiddenDelay: () => number;
}): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const update = () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible") options.onVisible();
    else timer = setTimeout(options.onHidden, options.hiddenDelay());
  };
  // A page in the browser's back/forward cache is hidden, too.
  const onPageHide = () => options.onHidden();
  document.addEventListener("visibilitychange", update);
  window.addEventListener("pagehide", onPageHide);
  window.addEventListener("pageshow", update);
  update();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", update);
    window.removeEventListener("pagehide", onPageHide);
    window.removeEventListener("pageshow", update);
  };
}
