// Where a tab gets its updates from: the shared worker, or a connection of its own in browsers without shared workers.
import { followStream, type StreamOptions } from "./sse";
import type { HubMessage, HubRequest } from "./stream-hub";

export type SourceOptions = Required<
  Pick<StreamOptions, "url" | "onEvent" | "onConnection" | "onTokenEnd">
> & {
  /** Names the session whose updates these are. */
  session: string;
};

export interface StreamSource {
  /** How long a hidden tab keeps following, in ms. */
  hiddenDelay: number;
  follow: () => void;
  leave: () => void;
}

/** The worker answers at once; without an answer in this time the tab opens its own connection. */
const WORKER_TIMEOUT = 5000;

export function openStream(options: SourceOptions): StreamSource {
  if (typeof SharedWorker === "undefined") return ownStream(options);
  let source = sharedStream(options, (wasFollowing) => {
    source = ownStream(options);
    if (wasFollowing) source.follow();
  });
  return {
    get hiddenDelay() {
      return source.hiddenDelay;
    },
    follow: () => source.follow(),
    leave: () => source.leave(),
  };
}

/** A connection of this tab alone. A hidden tab gives it up at once, because it takes one of the browser's six. */
function ownStream(options: SourceOptions): StreamSource {
  let stop: AbortController | null = null;
  return {
    hiddenDelay: 0,
    follow: () => {
      if (stop) return;
      stop = new AbortController();
      followStream(options, stop.signal);
    },
    leave: () => {
      stop?.abort();
      stop = null;
    },
  };
}

function sharedStream(options: SourceOptions, onUnavailable: (wasFollowing: boolean) => void): StreamSource {
  const worker = new SharedWorker(new URL("./stream-worker.ts", import.meta.url), {
    type: "module",
    name: "sms-sync-updates",
  });
  let isFollowing = false;
  let timeout: ReturnType<typeof setTimeout> | undefined;
  const send = (request: HubRequest) => worker.port.postMessage(request);
  const leave = () => {
    clearTimeout(timeout);
    if (isFollowing) send({ type: "leave" });
    isFollowing = false;
  };
  const giveUp = () => {
    worker.onerror = null;
    const wasFollowing = isFollowing;
    leave();
    worker.port.close();
    onUnavailable(wasFollowing);
  };
  worker.onerror = giveUp;
  worker.port.onmessage = ({ data }: MessageEvent<HubMessage>) => {
    clearTimeout(timeout);
    // Messages that were under way when the tab left.
    if (!isFollowing) return;
    if (data.type === "event") options.onEvent(data.name, data.data);
    else if (data.type === "connection") options.onConnection(data.connection);
    else options.onTokenEnd(data.json);
  };
  return {
    hiddenDelay: 60_000,
    follow: () => {
      if (isFollowing) return;
      isFollowing = true;
      send({ type: "follow", url: options.url, session: options.session });
      timeout = setTimeout(giveUp, WORKER_TIMEOUT);
    },
    leave,
  };
}
