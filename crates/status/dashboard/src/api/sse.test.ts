import type { ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { type Connection, followStream } from "./sse";
import { serve } from "./test-server";

let stop = new AbortController();
afterEach(() => stop.abort());

const follow = (url: string, until: string, silenceTimeoutMs = 5000) =>
  new Promise<{ events: string[]; connections: Connection["state"][] }>((done) => {
    stop = new AbortController();
    const events: string[] = [];
    const connections: Connection["state"][] = [];
    followStream(
      {
        url,
        silenceTimeoutMs,
        firstDelayMs: 5,
        onEvent: (name) => {
          events.push(name);
          if (name === until) done({ events, connections });
        },
        onConnection: ({ state }) => {
          connections.push(state);
          if (state === until) done({ events, connections });
        },
      },
      stop.signal,
    );
  });

const begin = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/event-stream" });

test("a dropped connection resumes after the last event received", async () => {
  let resumedAfter: unknown;
  const url = await serve([
    (_, response) => {
      begin(response).end("id: 41\nevent: one\ndata: {}\n\n");
    },
    (request, response) => {
      resumedAfter = request.headers["last-event-id"];
      begin(response).write("id: 42\nevent: two\ndata: {}\n\n");
    },
  ]);
  const { events, connections } = await follow(url, "two");
  expect(events).toEqual(["one", "two"]);
  expect(connections).toEqual(["connecting", "live", "reconnecting", "live"]);
  expect(resumedAfter).toBe("41");
});

test("a silent connection is aborted and opened again", async () => {
  const url = await serve([
    (_, response) => {
      begin(response).write("event: one\ndata: {}\n\n");
    },
    (_, response) => {
      begin(response).write("event: two\ndata: {}\n\n");
    },
  ]);
  expect((await follow(url, "two", 80)).events).toEqual(["one", "two"]);
});

test("a proxy's error page instead of the stream is retried", async () => {
  const url = await serve([
    (_, response) => {
      response.writeHead(502, { "content-type": "text/html" }).end("<html>Bad gateway</html>");
    },
    (_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>");
    },
    (_, response) => {
      begin(response).write("event: one\ndata: {}\n\n");
    },
  ]);
  const { connections } = await follow(url, "one");
  expect(connections).toEqual(["connecting", "reconnecting", "reconnecting", "live"]);
});

test("a 401 ends the stream without another attempt", async () => {
  const url = await serve([
    (_, response) => {
      response.writeHead(401).end();
    },
  ]);
  expect((await follow(url, "closed")).connections).toEqual(["connecting", "closed"]);
});

test("an end of the token closes the stream without another attempt and says why", async () => {
  let attempts = 0;
  const url = await serve([
    (_, response) => {
      attempts += 1;
      begin(response).write('id: 1\nevent: one\ndata: {}\n\nevent: end\ndata: {"code":"token_revoked"}\n\n');
    },
  ]);
  const seen: string[] = [];
  stop = new AbortController();
  await followStream(
    {
      url,
      firstDelayMs: 5,
      onEvent: (name) => seen.push(name),
      onConnection: ({ state }) => seen.push(state),
      onTokenEnd: (json) => seen.push(json),
    },
    stop.signal,
  );
  expect(seen).toEqual(["connecting", "live", "one", "closed", '{"code":"token_revoked"}']);
  expect(attempts).toBe(1);
});
