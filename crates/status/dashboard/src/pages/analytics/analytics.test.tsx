import { screen, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { Analytics } from "../../api/types";
import { preloadComponents } from "../../ui/lazy-component";
import { renderUi } from "../../ui/test-render";
import { Figures } from "./analytics";
import { FailureCounts, FindingCounts } from "./count-tables";

// As in the app, where all files are loaded after the first page.
beforeAll(async () => {
  preloadComponents();
  await import("../../ui/charts");
});

const lag = { count: 40, p50Seconds: 0.5, p90Seconds: 2, p99Seconds: 134 };
const ofVessel: Analytics = {
  window: "hour",
  from: "2026-11-24T02:00:00Z",
  to: "2026-11-24T05:00:00Z",
  countedUntil: "2026-11-24T03:20:00Z",
  total: { approvalLag: lag, findings: 0 },
  syncs: [],
  findings: [],
  failures: [],
  windows: [
    { startsAt: "2026-11-24T02:00:00Z", approvalLag: lag, findings: 0 },
    { startsAt: "2026-11-24T03:00:00Z", findings: 0 },
    { startsAt: "2026-11-24T04:00:00Z", findings: 0 },
  ],
};

test("the figures of a vessel say what is not counted by vessel, and the table what is not counted yet", async () => {
  // The test's DOM has no layout, and a chart without a size warns.
  const box = vi
    .spyOn(Element.prototype, "getBoundingClientRect")
    .mockReturnValue(new DOMRect(0, 0, 600, 260));
  onTestFinished(() => box.mockRestore());
  await renderUi(<Figures data={ofVessel} isOfType={false} />);
  expect(screen.getByText("counted until")).toBeDefined();
  expect(screen.getAllByText("Not counted by vessel.")).toHaveLength(3);
  expect(screen.getAllByText("Show as table")).toHaveLength(1);
  await userEvent.click(screen.getByText("Show as table"));
  const rows = within(await screen.findByRole("table", { name: "Approval to row" })).getAllByRole("row");
  expect(rows.slice(1).map((row) => [...row.children].map((cell) => cell.textContent))).toEqual([
    [expect.stringMatching(/02:00$/), "40", "500 ms", "2 min 14 s"],
    [expect.stringMatching(/03:00 so far$/), "none", "none", "none"],
    [expect.stringMatching(/04:00$/), "not counted yet", "not counted yet", "not counted yet"],
  ]);
});

test("a time without figures says what will fill it", async () => {
  const { rerender } = await renderUi(
    <Figures data={{ ...ofVessel, countedUntil: null }} isOfType={false} />,
  );
  expect(screen.getByText("No figures yet")).toBeDefined();
  rerender(<Figures data={{ ...ofVessel, total: { findings: 0 } }} isOfType={false} />);
  expect(screen.getByText("Nothing happened in this time")).toBeDefined();
});

test("the most frequent findings are shown first, and all on demand", async () => {
  const findings = Array.from({ length: 12 }, (_, at) => ({ code: `code_${at}`, count: 1200 - at }));
  await renderUi(<FindingCounts findings={findings} />);
  expect(screen.getByText("1,200")).toBeDefined();
  expect(screen.queryByText("code_11")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show all 12" }));
  expect(screen.getByText("code_11")).toBeDefined();
});

test("failures that were not counted are not said to be none", async () => {
  const { rerender } = await renderUi(<FailureCounts failures={[]} isCounted={false} />);
  expect(screen.getByText("Not counted by vessel.")).toBeDefined();
  rerender(<FailureCounts failures={[]} isCounted />);
  expect(screen.getByText("No attempt failed in this time.")).toBeDefined();
});
