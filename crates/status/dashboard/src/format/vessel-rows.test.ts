import { expect, test } from "vitest";
import type { Conflict, Finding, FleetRecord } from "../api/types";
import { vesselRows } from "./vessel-rows";

const vessel = (sourceId: string, part: Partial<FleetRecord> = {}): FleetRecord => ({
  recordType: "vessel",
  sourceId,
  standing: "active",
  versionAt: "2026-11-24T05:00:00Z",
  ...part,
});
const finding = (sourceId: string, severity: Finding["severity"]): Finding => ({
  recordType: "vessel",
  sourceId,
  severity,
  code: "c",
  pointer: "",
  message: "m",
});
const head = <T>(data: T[], total = data.length) => ({ data, pagination: { limit: 200, offset: 0, total } });
const rejected = vessel("rejected", { standing: "rejected" });
const lists = {
  vessels: head([
    vessel("withdrawn", { standing: "withdrawn" }),
    vessel("old", { versionAt: "2020-01-01T00:00:00Z" }),
    vessel("new"),
    vessel("warned"),
    vessel("disputed"),
  ]),
  rejected: head([rejected]),
  findings: head([finding("rejected", "error"), finding("warned", "warning")]),
  conflicts: head([{ sourceId: "disputed" } as Conflict]),
};

test("the worst vessels come first, then the newest changes, withdrawn ones last", () => {
  expect(vesselRows(lists).map(({ vessel }) => vessel.sourceId)).toEqual([
    "rejected",
    "disputed",
    "warned",
    "new",
    "old",
    "withdrawn",
  ]);
});

test("a vessel that both lists have stands once", () => {
  const rows = vesselRows({ ...lists, vessels: head([rejected, ...lists.vessels.data]) });
  expect(rows.filter(({ vessel }) => vessel.sourceId === "rejected")).toHaveLength(1);
});

test("a number is unknown, not zero, where only a part of the list was fetched", () => {
  const rows = vesselRows({ ...lists, findings: head(lists.findings.data, 900) });
  const row = (id: string) => rows.find(({ vessel }) => vessel.sourceId === id);
  expect(row("new")).toMatchObject({ errors: null, warnings: null, conflicts: 0 });
  expect(row("warned")).toMatchObject({ warnings: 1 });
});
