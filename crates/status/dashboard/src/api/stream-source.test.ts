import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HubMessage } from "./stream-hub";
import { openStream } from "./stream-source";

class FakeWorker {
  static latest: FakeWorker;
  port = {
    postMessage: vi.fn(),
    close: vi.fn(),
    onmessage: null as ((event: { data: HubMessage }) => void) | null,
  };
  onerror: (() => void) | null = null;
  constructor() {
    FakeWorker.latest = this;
  }
}

const fetch = vi.fn(() => new Promise<Response>(() => {}));
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("SharedWorker", FakeWorker);
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  fetch.mockClear();
});

function open() {
  const onEvent = vi.fn();
  const stream = openStream({
    url: "/u",
    session: "s",
    onEvent,
    onConnection: () => {},
    onTokenEnd: () => {},
  });
  return { stream, onEvent, worker: FakeWorker.latest };
}

test("a tab follows through the shared worker, and opens no connection of its own", () => {
  const { stream, onEvent, worker } = open();
  stream.follow();
  expect(worker.port.postMessage).toHaveBeenCalledWith({ type: "follow", url: "/u", session: "s" });
  worker.port.onmessage?.({ data: { type: "event", name: "sync.started", data: "{}" } });
  vi.advanceTimersByTime(60_000);
  expect(onEvent).toHaveBeenCalledWith("sync.started", "{}");
  expect(fetch).not.toHaveBeenCalled();
});

test("a tab that has left ignores messages that were under way", () => {
  const { stream, onEvent, worker } = open();
  stream.follow();
  stream.leave();
  worker.port.onmessage?.({ data: { type: "event", name: "sync.started", data: "{}" } });
  expect(worker.port.postMessage).toHaveBeenLastCalledWith({ type: "leave" });
  expect(onEvent).not.toHaveBeenCalled();
});

test("a worker that cannot be loaded, or does not answer, is replaced by a connection of the tab", () => {
  const first = open();
  first.stream.follow();
  first.worker.onerror?.();
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(first.stream.hiddenDelay).toBe(0);
  first.stream.leave();

  const second = open();
  second.stream.follow();
  vi.advanceTimersByTime(5000);
  expect(fetch).toHaveBeenCalledTimes(2);
  second.stream.leave();
});

test("a browser without shared workers opens a connection of the tab", () => {
  vi.stubGlobal("SharedWorker", undefined);
  const { stream } = open();
  stream.follow();
  expect(fetch).toHaveBeenCalledOnce();
  stream.leave();
});
