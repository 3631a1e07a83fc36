// Server-sent events over fetch, because EventSource cannot send a bearer token. Resumes by Last-Event-ID, cuts a
// connection that has gone silent, and waits longer after every failure.
import { createParser } from "eventsource-parser";

export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  /** Not connected since `since`; tried again at `retryAt` (both in ms since the epoch). */
  | { state: "reconnecting"; since: number; retryAt: number }
  /** The server wants no more: signed out, or not allowed. */
  | { state: "closed" };

export interface StreamOptions {
  url: string;
  token: string;
  onEvent: (name: string, data: string) => void;
  onConnection: (connection: Connection) => void;
  /** Silence after which a connection is given up. The server's heartbeat comes every 15 s. */
  quietMs?: number;
  /** The first wait after a failure; doubles up to `longestWaitMs`. */
  firstWaitMs?: number;
  longestWaitMs?: number;
}

const ENDS = [204, 401, 403];

/** Follows the stream until `signal` is aborted. */
export async function followStream(options: StreamOptions, signal: AbortSignal): Promise<void> {
  const { url, token, onEvent, onConnection } = options;
  const quietMs = options.quietMs ?? 40_000;
  const firstWait = options.firstWaitMs ?? 500;
  const longestWait = options.longestWaitMs ?? 15_000;
  let lastId: string | undefined;
  let wait = firstWait;
  let lostAt: number | null = null;
  onConnection({ state: "connecting" });

  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop);
    let watchdog = setTimeout(stop, quietMs);
    try {
      const response = await fetch(url, {
        signal: attempt.signal,
        cache: "no-store",
        headers: {
          Accept: "text/event-stream",
          Authorization: `Bearer ${token}`,
          ...(lastId === undefined ? {} : { "Last-Event-ID": lastId }),
        },
      });
      if (ENDS.includes(response.status)) {
        onConnection({ state: "closed" });
        return;
      }
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (!response.ok || !isStream || !response.body) throw new Error(`answered ${response.status}`);
      onConnection({ state: "live" });
      lostAt = null;
      const parser = createParser({
        onEvent: (event) => {
          if (event.id !== undefined) lastId = event.id;
          wait = firstWait;
          onEvent(event.event ?? "message", event.data);
        },
        onRetry: (ms) => {
          wait = Math.min(ms, longestWait);
        },
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(watchdog);
        watchdog = setTimeout(stop, quietMs);
        parser.feed(value);
      }
    } catch {
      // Whatever broke the connection, the remedy is the same: wait and connect again.
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", stop);
    }
    if (signal.aborted) return;
    lostAt ??= Date.now();
    const jittered = wait * (0.8 + Math.random() * 0.4);
    onConnection({ state: "reconnecting", since: lostAt, retryAt: Date.now() + jittered });
    await pause(jittered, signal);
    wait = Math.min(wait * 2, longestWait);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
