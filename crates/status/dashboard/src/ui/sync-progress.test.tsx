import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { RecordCounts, SyncSummary } from "../api/types";
import { PhaseProgress, SyncProgress } from "./sync-progress";
import { renderUi } from "./test-render";

const counts = (
  recordType: RecordCounts["recordType"],
  read: number,
  expected: number | null,
): RecordCounts => ({
  recordType,
  reached: true,
  expected,
  read,
  created: 0,
  updated: 0,
  unchanged: read,
  conflict: 0,
  rejected: 0,
  skipped: 0,
});

const sync = (part: Partial<SyncSummary>): SyncSummary => ({
  syncId: "0193",
  cause: "manual",
  mode: "full",
  state: "running",
  phase: 2,
  requestedBy: "anna",
  startedAt: "2026-11-24T05:00:00Z",
  heartbeatAt: "2026-11-24T05:00:00Z",
  counts: [],
  ...part,
});

const bar = (name: string) => screen.getByRole<HTMLProgressElement>("progressbar", { name });

test("a phase that is done without a type says that it was not reached", async () => {
  const lost = { ...counts("vessel", 0, null), reached: false };
  await renderUi(<PhaseProgress sync={sync({ counts: [counts("company", 3, null), lost] })} />);
  expect(bar("Companies").value).toBe(100);
  expect(bar("Vessels").value).toBe(0);
  expect(bar("Vessels").parentElement?.textContent).toContain("not reached");
});

test("phases are done, in progress or waiting", async () => {
  await renderUi(<PhaseProgress sync={sync({ counts: [counts("equipment", 50, 200)] })} />);
  const [first, second] = screen.getAllByRole("listitem");
  expect(first?.textContent).toContain("done");
  expect(second?.textContent).toContain("in progress");
  expect(bar("Equipment").value).toBe(25);
  expect(second?.textContent).toContain("50 of 200");
});

test("a later phase waits", async () => {
  await renderUi(<PhaseProgress sync={sync({ phase: 1 })} />);
  expect(screen.getAllByRole("listitem")[1]?.textContent).toContain("waiting");
});

test("the bar of a whole sync appears once all record types are counted", async () => {
  const { unmount } = await renderUi(<SyncProgress sync={sync({ counts: [counts("vessel", 10, 40)] })} />);
  expect(screen.queryByRole("progressbar")).toBeNull();
  unmount();
  const all = (["company", "vessel", "equipment", "user"] as const).map((type) => counts(type, 10, 40));
  await renderUi(<SyncProgress sync={sync({ counts: all })} />);
  expect(bar("Records read").value).toBe(25);
  expect(screen.getByText(/40 of 160 records/)).toBeDefined();
});

test("the bar has per cent and time left, once a rate is known", async () => {
  const started = Date.now() - 60_000;
  const known = (["company", "vessel", "equipment", "user"] as const).map((type) => counts(type, 100, 400));
  const running = sync({ counts: known, runningAt: new Date(started).toISOString() });
  const { rerender } = await renderUi(<SyncProgress sync={running} />);
  expect(bar("Records read").value).toBe(25);
  expect(screen.getByText("25 %")).toBeDefined();
  expect(screen.getByText(/^about [34] min left$/)).toBeDefined();
  rerender(<SyncProgress sync={{ ...running, state: "retrying" }} />);
  expect(screen.queryByText(/left$/)).toBeNull();
  // The number of a record type is not known yet.
  rerender(<SyncProgress sync={{ ...running, counts: known.slice(0, 2) }} />);
  expect(screen.queryByRole("progressbar")).toBeNull();
  expect(screen.queryByText(/%/)).toBeNull();
});

test("a full sync that does not know its numbers yet estimates them from the fleet, and says so", async () => {
  const fleet = (["company", "vessel", "equipment", "user"] as const).map((recordType) => ({
    recordType,
    active: 100,
  }));
  const begun = sync({ counts: [counts("vessel", 50, 200)], runningAt: new Date().toISOString() });
  const { rerender } = await renderUi(<SyncProgress sync={begun} fleet={fleet} />);
  expect(bar("Records read").value).toBe(10);
  expect(screen.getByText("50 of about 500 records")).toBeDefined();
  // The first sync of all has nothing to go by.
  rerender(<SyncProgress sync={begun} fleet={fleet.map((count) => ({ ...count, active: 0 }))} />);
  expect(screen.queryByRole("progressbar")).toBeNull();
});
