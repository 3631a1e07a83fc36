import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { ConfigurationChange } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { ChangeList } from "./history";

const change = (part: Partial<ConfigurationChange>): ConfigurationChange => ({
  id: 7,
  at: "2026-11-24T05:00:00Z",
  actor: "anna",
  part: "settings",
  action: "settings.update",
  version: 4,
  changes: [],
  ...part,
});
const cells = () =>
  screen.getAllByRole("row").map((row) => [...row.children].map((cell) => cell.textContent));

test("a change says who made it and when, with the values before and after", async () => {
  const changes = [{ name: "pageSize", before: 200, after: 300 }];
  await renderUi(<ChangeList changes={[change({ changes } as never)]} />);
  const entry = screen.getByRole("listitem");
  expect(entry.textContent).toContain("Changed settings version 4");
  expect(entry.textContent).toContain("anna");
  expect(
    within(entry)
      .getByText(/24 Nov 05:00:00/)
      .closest("time")?.dateTime,
  ).toBe("2026-11-24T05:00:00Z");
  expect(cells()).toEqual([
    ["Value", "Before", "After"],
    ["Page size", "200", "300"],
  ]);
});

test("a paused schedule has its name and its reason, and a deleted one no values after", async () => {
  const paused = change({
    id: 8,
    part: "schedules",
    action: "schedule.pause",
    schedule: "nightly",
    reason: "dry dock",
    changes: [{ name: "pause", before: null, after: { until: null } }] as never,
  });
  const { rerender } = await renderUi(<ChangeList changes={[paused]} />);
  expect(screen.getByText("Paused a schedule: nightly")).toBeDefined();
  expect(screen.getByText("dry dock")).toBeDefined();
  const changes = [{ name: "cron", before: "0 2 * * *", after: null }] as never;
  rerender(<ChangeList changes={[change({ part: "schedules", action: "schedule.delete", changes })]} />);
  expect(cells()[0]).toEqual(["Value", "Before"]);
});

test("a change from before values were recorded says so", async () => {
  await renderUi(<ChangeList changes={[change({})]} />);
  expect(screen.getByText("The values were not recorded.")).toBeDefined();
});
