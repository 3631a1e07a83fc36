import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Part } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { PartTable } from "./parts";

const part = (kind: Part["kind"], values: Record<string, unknown>): Part => ({
  kind,
  sourceId: "p-1",
  name: "Exhaust valve",
  equipmentId: "e-1",
  equipmentName: "601/1 Main engine",
  status: "active",
  values: values as Part["values"],
});
const rows = () => screen.getAllByRole("row").map((row) => [...row.children].map((cell) => cell.textContent));

test("the parts of a vessel name their equipment, and what is too few on board", async () => {
  const values = {
    partNumber: "77",
    maker: "MAN",
    unit: "pcs",
    stockOnBoard: 1,
    minimumStock: 2,
    leadTimeDays: 45,
  };
  await renderUi(<PartTable kind="critical_part" parts={[part("critical_part", values)]} isOfVessel />);
  expect(rows()).toEqual([
    ["Part", "Stock", "Equipment", "On board", "Minimum", "Location", "Lead time", "ID"],
    [
      "Exhaust valve77 · MAN",
      "Below minimum",
      "601/1 Main engine",
      "1 pcs",
      "2 pcs",
      "none",
      "45 days",
      "p-1",
    ],
  ]);
  expect(screen.getByRole("link").getAttribute("href")).toBe("/records/equipment/e-1");
});

test("the schedules of one piece of equipment do not name it again", async () => {
  const values = {
    jobCode: "601-1",
    kind: "class_survey",
    everyHours: 8000,
    responsibleRank: "chief_engineer",
    lastDoneOn: null,
  };
  const parts = [part("maintenance_schedule", values)];
  await renderUi(<PartTable kind="maintenance_schedule" parts={parts} isOfVessel={false} />);
  expect(rows()).toEqual([
    ["Job", "State", "Due", "Last done", "Responsible", "ID"],
    ["Exhaust valve601-1 · Class survey", "Active", "every 8,000 h", "not recorded", "Chief engineer", "p-1"],
  ]);
});
