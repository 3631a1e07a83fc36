import { expect, test } from "vitest";
import type { ReplayJob } from "../../api/types";
import { jobLabel, jobSentence } from "./replay-job";

const job = (state: ReplayJob["state"], counts: Partial<ReplayJob["counts"]>): ReplayJob => ({
  id: "0193",
  state,
  requestedBy: "anna",
  createdAt: "2026-11-24T05:00:00Z",
  filter: {},
  counts: { waiting: 0, sent: 0, succeeded: 0, died: 0, cancelled: 0, ...counts },
});

test("a running job says how many dead letters are processed", () => {
  expect(jobSentence(job("running", { waiting: 5, sent: 2, succeeded: 3 }))).toBe(
    "3 of 10 dead letters are processed.",
  );
});

test("an ended job accounts for every dead letter", () => {
  expect(jobSentence(job("completed", { succeeded: 3, died: 2 }))).toBe(
    "5 dead letters: 3 succeeded, 2 failed again.",
  );
  expect(jobSentence(job("cancelled", { succeeded: 1, sent: 1, cancelled: 4 }))).toBe(
    "6 dead letters: 1 succeeded, 1 is in progress, 4 not replayed.",
  );
});

test("a completed job is green only if nothing failed again", () => {
  expect(jobLabel(job("completed", { succeeded: 3 })).tone).toBe("good");
  expect(jobLabel(job("completed", { succeeded: 3, died: 1 })).tone).toBe("warn");
  expect(jobLabel(job("completed", { died: 1 })).tone).toBe("bad");
});
