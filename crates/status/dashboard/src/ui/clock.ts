// One timer for the whole page, so that all times change together and at most once a second.
import { useSyncExternalStore } from "react";
import { serverNow } from "../api/server-clock";

let now = serverNow();
let timer: ReturnType<typeof setInterval> | null = null;
const listeners = new Set<() => void>();

function update() {
  now = serverNow();
  for (const notify of listeners) notify();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  if (!timer) {
    now = serverNow();
    timer = setInterval(update, 1000);
    // Browsers slow the timers of hidden tabs down.
    document.addEventListener("visibilitychange", update);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
    document.removeEventListener("visibilitychange", update);
  };
}

/** While nothing listens, the time is read anew: the first page that shows a time must not show an old one. */
function snapshot(): number {
  if (!timer) {
    const latest = serverNow();
    // React expects the same value until something has changed.
    if (Math.abs(latest - now) >= 1000) now = latest;
  }
  return now;
}

/** The current time in ms since the epoch by the server's clock, updated every second. */
export const useNow = (): number => useSyncExternalStore(subscribe, snapshot);
