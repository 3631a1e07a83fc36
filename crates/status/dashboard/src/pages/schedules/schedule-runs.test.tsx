import { screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { renderUi } from "../../ui/test-render";
import { ScheduleRuns } from "./schedule-runs";

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-24T05:00:00Z"), toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const NOTE = "the clocks skip the time of the schedule on this day: it comes when they go on";
const preview = {
  description: "At 02:30.",
  nextRuns: ["2027-03-28T01:00:00Z"],
  localRuns: [{ at: "2027-03-28T03:00:00+02:00", note: NOTE }],
  clockChanges: [{ at: "2027-03-28T01:00:00Z", offsetBefore: "+01:00", offsetAfter: "+02:00" }],
};

test("times stand in the zone and in UTC, with what a change of the clocks does to them", async () => {
  await renderUi(<ScheduleRuns preview={preview} timeZone="Europe/Oslo" isOn />);
  const cells = screen.getAllByRole("cell").map((cell) => cell.textContent);
  expect(cells[0]).toMatch(/^Sun,? 28 Mar 2027, 03:00/);
  expect(cells[0]).toContain(NOTE);
  expect(cells[1]).toMatch(/^Sun,? 28 Mar 2027, 01:00$/);
  expect(screen.getByRole("list", { name: "Changes of the clocks" }).textContent).toContain(
    "from UTC+01:00 to UTC+02:00",
  );
});

test("a schedule in UTC has one column of times, and one that never matches says so", async () => {
  const utc = { description: "At 02:00.", nextRuns: ["2026-11-25T02:00:00Z"] };
  const { rerender } = await renderUi(<ScheduleRuns preview={utc} timeZone="UTC" isOn={false} />);
  expect(screen.getAllByRole("columnheader").map((header) => header.textContent)).toEqual([
    "UTC",
    "From now",
  ]);
  expect(screen.getByText("once the schedule is on")).toBeDefined();
  rerender(<ScheduleRuns preview={{ ...utc, nextRuns: [] }} timeZone="UTC" isOn />);
  expect(screen.getByText("No date matches.")).toBeDefined();
});
