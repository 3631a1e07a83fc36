import { expect, test } from "vitest";
import type { StreamOptions } from "./sse";
import { type HubMessage, type HubPort, StreamHub } from "./stream-hub";

/** A hub whose streams are driven by the test, and tabs that follow through it. */
function setUp() {
  const streams: { options: StreamOptions; signal: AbortSignal }[] = [];
  const hub = new StreamHub(async (options, signal) => {
    streams.push({ options, signal });
  });
  const openTab = (session: string) => {
    const received: HubMessage[] = [];
    const port: HubPort = { postMessage: (message) => received.push(message), onmessage: null };
    hub.connect(port);
    port.onmessage?.({ data: { type: "follow", url: "/updates", session } });
    return { received, leave: () => port.onmessage?.({ data: { type: "leave" } }) };
  };
  return { streams, openTab };
}

test("eight tabs share one stream, and each receives every event", () => {
  const { streams, openTab } = setUp();
  const tabs = Array.from({ length: 8 }, () => openTab("t"));
  expect(streams).toHaveLength(1);
  streams[0]?.options.onEvent("sync.started", "{}");
  for (const { received } of tabs)
    expect(received.at(-1)).toEqual({ type: "event", name: "sync.started", data: "{}" });
});

test("a tab that follows a running stream learns that it is live", () => {
  const { streams, openTab } = setUp();
  openTab("t");
  streams[0]?.options.onConnection({ state: "live" });
  expect(openTab("t").received).toEqual([{ type: "connection", connection: { state: "live" } }]);
});

test("different sessions have different streams", () => {
  const { streams, openTab } = setUp();
  const anna = openTab("anna");
  openTab("victor");
  streams[1]?.options.onEvent("sync.started", "{}");
  expect(streams).toHaveLength(2);
  expect(anna.received).toHaveLength(1);
});

test("a stream ends with its last tab", () => {
  const { streams, openTab } = setUp();
  const [first, second] = [openTab("t"), openTab("t")];
  first.leave();
  expect(streams[0]?.signal.aborted).toBe(false);
  second.leave();
  expect(streams[0]?.signal.aborted).toBe(true);
});

test("a tab that follows after the server has closed the stream begins a new one", () => {
  const { streams, openTab } = setUp();
  openTab("t");
  streams[0]?.options.onConnection({ state: "closed" });
  expect(openTab("t").received).toEqual([{ type: "connection", connection: { state: "connecting" } }]);
  expect(streams).toHaveLength(2);
});
