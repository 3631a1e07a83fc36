import { expect, test } from "vitest";
import type { Schedule } from "../api/types";
import { nextRunAt, scheduleKind, scheduleState, schedulesStatus } from "./schedule";

const schedule = (part: Partial<Schedule> = {}): Schedule => ({
  name: "nightly",
  version: 1,
  cron: "0 2 * * *",
  timeZone: "UTC",
  mode: "full",
  enabled: true,
  preview: { description: "At 02:00.", nextRuns: ["2026-11-25T02:00:00Z"] },
  nextRunAt: "2026-11-25T02:00:00Z",
  updatedAt: "2026-11-24T05:00:00Z",
  updatedBy: "anna",
  ...part,
});
const status = (...data: Schedule[]) => schedulesStatus({ data, presets: [] });
const tick = (outcome: "started" | "missed") => ({
  schedule: "nightly",
  dueAt: "2026-11-24T02:00:00Z",
  handledAt: "2026-11-24T02:00:01Z",
  outcome,
});

test("a schedule that was never due is on, and no evidence that all is well", () => {
  expect(status(schedule()).tone).toBe("neutral");
  expect(status(schedule({ lastTick: tick("started") })).tone).toBe("good");
});

test("missed times, pauses and expressions that never match are named", () => {
  const pause = { reason: "move", by: "anna", since: "2026-11-24T05:00:00Z" };
  const preview = { description: "At 02:00.", nextRuns: [] };
  expect(status(schedule({ lastTick: tick("missed") })).headline).toBe(
    "The schedule nightly missed its last time",
  );
  expect(status(schedule({ pause }), schedule({ name: "hourly", pause })).headline).toBe(
    "2 schedules are paused",
  );
  expect(scheduleState(schedule({ preview })).word).toBe("Never due");
  expect(status(schedule({ preview })).tone).toBe("warn");
});

test("schedules that are all off are neutral, whatever became of them before", () => {
  const off = schedule({ enabled: false, lastTick: tick("missed") });
  expect(status(off)).toMatchObject({ tone: "neutral", headline: "The schedule is off" });
  expect(scheduleState(off).word).toBe("Off");
});

test("the kind names mode and selection", () => {
  expect(scheduleKind({ cron: "* * * * *" })).toBe("Full sync");
  expect(scheduleKind({ cron: "* * * * *", mode: "incremental", recordTypes: ["user"] })).toBe(
    "Incremental sync of users",
  );
  expect(scheduleKind({ cron: "* * * * *", mode: "selective", vesselImos: ["9074729", "9867607"] })).toBe(
    "Selective sync of 2 vessels",
  );
});

test("the next sync is the earliest of all schedules", () => {
  const { nextRunAt: _, ...off } = schedule({ name: "off" });
  const data = [schedule(), schedule({ name: "early", nextRunAt: "2026-11-24T06:00:00Z" }), off];
  expect(nextRunAt({ data, presets: [] })).toBe("2026-11-24T06:00:00Z");
});
