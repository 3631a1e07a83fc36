import { expect, test } from "vitest";
import type { ConfigurationChange, ConfigurationPart } from "../api/types";
import { changeRows } from "./configuration";

const rows = (part: ConfigurationPart, ...changes: [name: string, before: unknown, after: unknown][]) =>
  changeRows(
    {
      id: 1,
      at: "2026-11-24T05:00:00Z",
      actor: "anna",
      part,
      action: "settings.update",
      changes: changes.map(([name, before, after]) => ({ name, before, after })),
    } as ConfigurationChange,
    "utc",
  ).map(({ name, before, after }) => [name, before, after]);

test("settings have the names of their form and values with units", () => {
  expect(
    rows(
      "settings",
      ["pageSize", 200, 1000],
      ["retryDelaysMs", [10_000, 30_000, 90_000], [2500, 30_000, 90_000]],
      ["deactivationLimitPercent", 5, 10],
      ["scheduleTimeZone", "UTC", "America/New_York"],
      ["missingRecords", "keep", "deactivate"],
    ),
  ).toEqual([
    ["Page size", "200", "1,000"],
    ["Retry delays", "10 s, 30 s, 1 min 30 s", "2.5 s, 30 s, 1 min 30 s"],
    ["Ask an operator above", "5 %", "10 %"],
    ["Time zone", "UTC", "America/New_York"],
    ["Records no longer in the onboarding portal", "Keep", "Deactivate"],
  ]);
});

test("a schedule that was added has no row for what it does not have", () => {
  expect(
    rows("schedules", ["cron", null, "0 2 * * *"], ["selection", null, {}], ["enabled", null, true]),
  ).toEqual([
    ["Cron expression", null, "0 2 * * *"],
    ["On", null, "yes"],
  ]);
  expect(
    rows("schedules", ["selection", { vesselImos: ["9074729"] }, { recordTypes: ["vessel", "user"] }]),
  ).toEqual([
    ["Vessels, by IMO number", "9074729", null],
    ["Record types", null, "Vessels, Users"],
  ]);
});

test("a pause says until when, and its end why it was", () => {
  expect(rows("schedules", ["pause", null, { until: null }])).toEqual([
    ["Pause", null, "until someone resumes it"],
  ]);
  expect(rows("schedules", ["pause", null, { until: "2026-11-30T06:00:00Z" }])[0]?.[2]).toMatch(
    /^until Mon,? 30 Nov 2026,? 06:00:00 UTC$/,
  );
  expect(rows("schedules", ["pause", { reason: "dry dock" }, null])).toEqual([["Pause", "dry dock", null]]);
});

test("conflict policies are named by their record type", () => {
  expect(rows("conflict_policies", ["vessel", "last_write_wins", "source_wins"])).toEqual([
    ["Vessels", "Last write wins", "Source wins"],
  ]);
});

const rule = (rank: string, role: string, department?: string) => ({
  rank,
  workplace: "ship",
  role,
  ...(department ? { department } : {}),
});

test("of the role mapping only rules that differ are shown, and a new order", () => {
  const before = [rule("master", "master"), rule("cook", "crew"), rule("mate", "officer", "deck")];
  const after = [rule("master", "master"), rule("cook", "crew_readonly"), rule("bosun", "crew")];
  expect(rows("role_mapping", ["rules", before, after])).toEqual([
    ["Cook, ship", "Crew", "Crew readonly"],
    ["Mate, ship, deck", "Officer", null],
    ["Bosun, ship", null, "Crew"],
  ]);
  expect(rows("role_mapping", ["rules", before.slice(0, 2), before.slice(0, 2).reverse()])).toEqual([
    ["Order of the rules", "Master, ship → Cook, ship", "Cook, ship → Master, ship"],
  ]);
});
