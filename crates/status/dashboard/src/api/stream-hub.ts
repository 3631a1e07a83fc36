// One connection to the updates stream for all tabs of a browser. Browsers open at most six connections to a host over
// HTTP/1.1, so that a stream for each tab would leave none for the requests of the sixth.
import { type Connection, followStream, type StreamOptions } from "./sse";

/** What a tab asks of the hub. */
export type HubRequest = { type: "follow"; url: string; session: string } | { type: "leave" };

/** What the hub tells a tab. */
export type HubMessage =
  | { type: "event"; name: string; data: string }
  | { type: "connection"; connection: Connection }
  | { type: "tokenEnd"; json: string };

/** The part of `MessagePort` that the hub uses. */
export interface HubPort {
  postMessage: (message: HubMessage) => void;
  onmessage: ((event: { data: HubRequest }) => void) | null;
}

interface Stream {
  session: string;
  ports: Set<HubPort>;
  connection: Connection;
  stop: AbortController;
}

export class StreamHub {
  /** One for each session: a tab may not know yet that another one has signed in anew. */
  private readonly streams = new Set<Stream>();
  private readonly follow: (options: StreamOptions, signal: AbortSignal) => Promise<void>;

  constructor(follow: typeof followStream = followStream) {
    this.follow = follow;
  }

  /** Serves a tab until it sends `leave`. */
  connect(port: HubPort): void {
    port.onmessage = ({ data }) => {
      this.leave(port);
      if (data.type === "follow") this.join(port, data.url, data.session);
    };
  }

  private join(port: HubPort, url: string, session: string) {
    const open = [...this.streams].find((stream) => stream.session === session);
    const stream = open ?? this.start(url, session);
    stream.ports.add(port);
    port.postMessage({ type: "connection", connection: stream.connection });
  }

  /** The stream is kept only while a tab follows it. */
  private leave(port: HubPort) {
    for (const stream of this.streams) {
      if (!stream.ports.delete(port) || stream.ports.size > 0) continue;
      this.streams.delete(stream);
      stream.stop.abort();
    }
  }

  private start(url: string, session: string): Stream {
    const stream: Stream = {
      session,
      ports: new Set(),
      connection: { state: "connecting" },
      stop: new AbortController(),
    };
    const tell = (message: HubMessage) => {
      for (const port of stream.ports) port.postMessage(message);
    };
    this.streams.add(stream);
    this.follow(
      {
        url,
        onEvent: (name, data) => tell({ type: "event", name, data }),
        onTokenEnd: (json) => tell({ type: "tokenEnd", json }),
        onConnection: (connection) => {
          stream.connection = connection;
          // A tab that follows later begins a new stream.
          if (connection.state === "closed") this.streams.delete(stream);
          tell({ type: "connection", connection });
        },
      },
      stream.stop.signal,
    );
    return stream;
  }
}
