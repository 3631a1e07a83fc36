// A real server for the tests of this folder, on a port that is free.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers requests one after another, the last answer again and again; returns its address. */
export async function serve(answers: Answering[]): Promise<string> {
  let n = 0;
  const listening = createServer((request, response) => {
    // The tests' page is of another origin.
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*");
    if (request.method === "OPTIONS") {
      response.end();
      return;
    }
    answers[Math.min(n++, answers.length - 1)]?.(request, response);
  });
  await new Promise<void>((ready) => listening.listen(0, "127.0.0.1", ready));
  onTestFinished(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`;
}

export const json =
  (status: number, body: unknown): Answering =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
