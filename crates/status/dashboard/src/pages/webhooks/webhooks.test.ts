import { expect, test } from "vitest";
import type { Overview, RefusedWebhook } from "../../api/types";
import { refusedRequests, webhooksStatus } from "./webhooks";

const overview: Overview = {
  running: [],
  fleet: [],
  deadLetters: 0,
  unpublished: 0,
  health: [],
  lastWebhookAt: "2026-11-24T05:00:00Z",
};
const NONE = { requests: 0, isAtLeast: false };

test("no webhook yet is not green", () => {
  const { lastWebhookAt: _, ...silent } = overview;
  expect(webhooksStatus(silent, { total: 0 }, NONE).tone).toBe("neutral");
  expect(webhooksStatus(overview, { total: 0 }, NONE).tone).toBe("good");
});

test("a failed webhook is worse than a refused request", () => {
  expect(webhooksStatus(overview, { total: 2 }, { requests: 1, isAtLeast: false })).toMatchObject({
    tone: "bad",
    headline: "2 webhooks failed",
    detail: "Fix the cause, then reprocess. 1 request was refused in the last 24 hours.",
  });
  expect(webhooksStatus(overview, { total: 0 }, { requests: 1, isAtLeast: false }).tone).toBe("warn");
});

test("requests without an entry of their own count, and a longer log is counted at least", () => {
  const entry = { alike: 40 } as RefusedWebhook;
  const refused = refusedRequests({ data: [entry], pagination: { limit: 1, offset: 0, total: 3 } });
  expect(refused).toEqual({ requests: 43, isAtLeast: true });
  expect(webhooksStatus(overview, { total: 0 }, refused).headline).toBe(
    "At least 43 requests were refused in the last 24 hours",
  );
});
