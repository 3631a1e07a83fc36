// Server-sent events over fetch, because EventSource does not say with which status a connection was refused. Resumes by Last-Event-ID, aborts a
// connection that has gone silent, and doubles its delay after every failure.
import { createParser } from "eventsource-parser";

export type Connection =
  /** There is none: updates are about the whole fleet, and the token is for a part of it. */
  | { state: "none" }
  | { state: "connecting" }
  | { state: "live" }
  /** Disconnected since `since`, next attempt at `retryAt`, both in ms since the epoch. */
  | { state: "reconnecting"; since: number; retryAt: number }
  /** Ended by the server: the token has expired or was revoked, or is not allowed. */
  | { state: "closed" };

export interface StreamOptions {
  url: string;
  onEvent: (name: string, data: string) => void;
  onConnection: (connection: Connection) => void;
  /** The token is valid no longer: with the JSON that says why. The stream is closed then. */
  onTokenEnd?: (json: string) => void;
  /** Silence after which a connection is aborted. The server sends a heartbeat every 15 s. */
  silenceTimeoutMs?: number;
  /** Delay after the first failure. Doubles up to `maxDelayMs`. */
  firstDelayMs?: number;
  maxDelayMs?: number;
}

const FINAL_STATUSES = [204, 401, 403];

/** Follows the stream until `signal` is aborted. */
export async function followStream(options: StreamOptions, signal: AbortSignal): Promise<void> {
  const { url, onEvent, onConnection } = options;
  const silenceTimeoutMs = options.silenceTimeoutMs ?? 40_000;
  const firstDelay = options.firstDelayMs ?? 500;
  const maxDelay = options.maxDelayMs ?? 15_000;
  let lastId: string | undefined;
  let delay = firstDelay;
  let lostAt: number | null = null;
  let ended: string | null = null;
  onConnection({ state: "connecting" });

  while (!signal.aborted) {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    signal.addEventListener("abort", abort);
    let watchdog = setTimeout(abort, silenceTimeoutMs);
    try {
      const response = await fetch(url, {
        signal: attempt.signal,
        cache: "no-store",
        headers: {
          Accept: "text/event-stream",
          ...(lastId === undefined ? {} : { "Last-Event-ID": lastId }),
        },
      });
      if (FINAL_STATUSES.includes(response.status)) {
        onConnection({ state: "closed" });
        if (response.status === 401) options.onTokenEnd?.(await response.text());
        return;
      }
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (!response.ok || !isStream || !response.body) throw new Error(`answered ${response.status}`);
      onConnection({ state: "live" });
      lostAt = null;
      const parser = createParser({
        onEvent: (event) => {
          if (event.id !== undefined) lastId = event.id;
          delay = firstDelay;
          if (event.event === "end") {
            ended = event.data;
            return;
          }
          onEvent(event.event ?? "message", event.data);
        },
        onRetry: (ms) => {
          delay = Math.min(ms, maxDelay);
        },
      });
      await readText(response.body, (text) => {
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, silenceTimeoutMs);
        parser.feed(text);
        if (ended !== null) attempt.abort();
      });
    } catch {
      // Every failure is handled alike: wait, then connect again.
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", abort);
    }
    if (signal.aborted) return;
    if (ended !== null) {
      onConnection({ state: "closed" });
      options.onTokenEnd?.(ended);
      return;
    }
    lostAt ??= Date.now();
    const jittered = delay * (0.8 + Math.random() * 0.4);
    onConnection({ state: "reconnecting", since: lostAt, retryAt: Date.now() + jittered });
    await wait(jittered, signal);
    delay = Math.min(delay * 2, maxDelay);
  }
}

/** Reads a stream to its end. By a reader, because older Safari cannot iterate over a stream. */
async function readText(body: ReadableStream<BufferSource>, onText: (text: string) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onText(value);
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
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
