import { expect, test } from "vitest";
import type { Analytics } from "../api/types";
import {
  analyticsStatus,
  headlines,
  isCounted,
  isEmpty,
  isOfVessel,
  lagMissing,
  throughputMissing,
  windowRows,
} from "./analytics";

const records = {
  created: 12,
  updated: 85,
  unchanged: 5940,
  conflict: 1,
  rejected: 4,
  skipped: 0,
  deactivated: 3,
};
const syncs = { completed: 8, completedWithErrors: 1, failed: 1, cancelled: 0, successRate: 0.9 };
const lag = { count: 40, p50Seconds: 0.5, p90Seconds: 2, p99Seconds: 134 };
const figures = { syncs, records, approvalLag: lag, syncDuration: lag, findings: 5, failedAttempts: 7 };
const hour = (at: number) => `2026-11-24T0${at}:00:00Z`;

const analytics = (part: Partial<Analytics> = {}): Analytics => ({
  window: "hour",
  from: hour(2),
  to: hour(5),
  countedUntil: "2026-11-24T03:20:00Z",
  total: figures,
  syncs: [],
  findings: [],
  failures: [],
  windows: [2, 3, 4].map((at) => ({ ...figures, startsAt: hour(at) })),
  ...part,
});
/** As the service sends it with `vessel`. */
const ofVessel = analytics({ total: { approvalLag: lag, findings: 5 } });
const byName = (data: Analytics) =>
  Object.fromEntries(headlines(data, false).map(({ name, value, note }) => [name, { value, note }]));

test("a window after what is counted has no figures, and one within is counted so far", () => {
  const rows = windowRows(analytics());
  expect(rows.map(({ coverage }) => coverage)).toEqual(["counted", "partly", "not_yet"]);
  expect(rows[1]).toMatchObject({ created: 12, lagP50: 500, lagP99: 134_000, syncCount: 40 });
  expect(rows[2]).toMatchObject({ created: null, unchanged: null, lagCount: null, syncP50: null });
});

test("nothing is counted until the service says so", () => {
  const data = analytics({ countedUntil: null });
  expect(isCounted(data)).toBe(false);
  expect(windowRows(data).every(({ coverage }) => coverage === "not_yet")).toBe(true);
  expect(analyticsStatus(data)).toMatchObject({ tone: "neutral", headline: "Nothing is counted yet" });
  expect(analyticsStatus(analytics({ countedUntil: hour(1) })).headline).toBe("This time is not counted yet");
});

test("the headlines are the figures of the whole time", () => {
  expect(byName(analytics())).toMatchObject({
    "Success rate of syncs": { value: "90 %", note: "9 syncs of 10 completed" },
    "Records changed": { value: "100", note: "12 created, 85 updated, 3 withdrawn" },
    "Records rejected": { value: "4" },
    "Approval to row, half within": {
      value: "500 ms",
      note: "99 of 100 within 2 min 14 s, of 40 approvals",
    },
    "Failed attempts": { value: "7" },
  });
});

test("what is not counted by vessel has no figure, and says so", () => {
  expect(isOfVessel(ofVessel)).toBe(true);
  const absent = { value: null, note: "Not counted by vessel" };
  expect(byName(ofVessel)).toMatchObject({
    "Success rate of syncs": absent,
    "Records changed": absent,
    "Records rejected": absent,
    "Failed attempts": absent,
    "Approval to row, half within": { value: "500 ms" },
  });
  expect(analyticsStatus(ofVessel)).toMatchObject({
    tone: "neutral",
    headline: "40 approvals of this vessel and its equipment processed",
  });
});

test("without syncs there is no success rate", () => {
  const none = { completed: 0, completedWithErrors: 0, failed: 0, cancelled: 2 };
  const data = analytics({ total: { ...figures, syncs: none } });
  expect(byName(data)["Success rate of syncs"]).toEqual({ value: null, note: "No sync completed or failed" });
  expect(analyticsStatus(data)).toMatchObject({ tone: "neutral", detail: "2 syncs were cancelled." });
});

test("figures of all record types say so where one type is chosen", () => {
  const notes = headlines(analytics(), true).filter(({ note }) => note.endsWith(", of all record types"));
  expect(notes.map(({ name }) => name)).toEqual(["Success rate of syncs", "Failed attempts"]);
});

test("the status warns of failed syncs, and is green only without errors", () => {
  expect(analyticsStatus(analytics())).toMatchObject({ tone: "warn", headline: "1 of 10 syncs failed" });
  const withErrors = { ...syncs, failed: 0 };
  expect(analyticsStatus(analytics({ total: { ...figures, syncs: withErrors } }))).toMatchObject({
    tone: "neutral",
    headline: "9 of 9 syncs completed",
    detail: "1 of 9 completed with errors. None was cancelled.",
  });
  const fine = { ...withErrors, completedWithErrors: 0 };
  expect(analyticsStatus(analytics({ total: { ...figures, syncs: fine } })).tone).toBe("good");
});

test("a time is empty only if nothing at all was counted in it", () => {
  const zero = Object.fromEntries(Object.keys(records).map((key) => [key, 0])) as typeof records;
  const none = { completed: 0, completedWithErrors: 0, failed: 0, cancelled: 0 };
  const empty = { syncs: none, records: zero, findings: 0, failedAttempts: 0 };
  expect(isEmpty(analytics({ total: empty }))).toBe(true);
  expect(isEmpty(analytics({ total: { ...empty, findings: 1 } }))).toBe(false);
  expect(isEmpty(analytics({ total: { findings: 0 } }))).toBe(true);
});

test("a chart without anything to show says why", () => {
  const none = { created: 0, updated: 0, unchanged: 0, conflict: 0, rejected: 0, skipped: 0, deactivated: 0 };
  const noSyncs = { completed: 0, completedWithErrors: 0, failed: 0, cancelled: 0 };
  const missing = (part: Partial<Analytics["total"]>) =>
    throughputMissing(analytics({ total: { ...figures, ...part } }));
  expect(missing({})).toBeUndefined();
  expect(missing({ records: { ...none, unchanged: 5940 } })).toBe(
    "No record changed: all 5,940 that were read were unchanged.",
  );
  expect(missing({ records: none, syncs: noSyncs })).toBe("No sync ended in this time.");
  expect(missing({ records: none })).toBe("The syncs that ended in this time read no records.");
  expect(throughputMissing(ofVessel)).toBe("Not counted by vessel.");
  expect(lagMissing(analytics())).toBeUndefined();
  expect(lagMissing(analytics({ total: { findings: 0 } }))).toBe("No approval was processed in this time.");
});
