import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { RecordCounts } from "../api/types";
import { TallyTable } from "./tally-table";
import { renderUi } from "./test-render";

const counts = (part: Partial<RecordCounts>): RecordCounts => ({
  recordType: "vessel",
  reached: true,
  expected: null,
  read: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  conflict: 0,
  rejected: 0,
  skipped: 0,
  ...part,
});

test("record types are listed with their total", async () => {
  await renderUi(
    <TallyTable
      deadTasks={0}
      state="completed"
      counts={[
        counts({ expected: 42, read: 42, created: 2, unchanged: 40 }),
        counts({ recordType: "user", expected: 1000, read: 1000, unchanged: 1000 }),
      ]}
    />,
  );
  const names = screen.getAllByRole("rowheader").map((header) => header.textContent);
  expect(names).toEqual(["Vessels", "Users", "All records"]);
  expect(screen.getByRole("row", { name: /^All records 1,042 1,042/ })).toBeDefined();
  expect(screen.getByText("read 1,042 = created 2 + unchanged 1,040, as expected")).toBeDefined();
});

test("a single record type has no total", async () => {
  await renderUi(<TallyTable deadTasks={0} state="running" counts={[counts({ read: 1, created: 1 })]} />);
  expect(screen.queryByRole("row", { name: /All records/ })).toBeNull();
  expect(screen.getByRole("cell", { name: "unknown" })).toBeDefined();
});

test("a sum that does not balance is an error", async () => {
  await renderUi(
    <TallyTable deadTasks={0} state="completed" counts={[counts({ expected: 3, read: 3, created: 2 })]} />,
  );
  const sum = screen.getByText("read 3 = created 2 (the outcomes add up to 2)");
  expect(sum.closest("p")?.dataset.tone).toBe("bad");
});

test("expected records that were not read are an error once the sync is complete", async () => {
  const { unmount } = await renderUi(
    <TallyTable deadTasks={0} state="running" counts={[counts({ expected: 3, read: 2, created: 2 })]} />,
  );
  expect(screen.getByText("read 2 = created 2").closest("p")?.dataset.tone).toBe("neutral");
  unmount();
  await renderUi(
    <TallyTable
      deadTasks={0}
      state="completed_with_errors"
      counts={[counts({ expected: 3, read: 2, created: 2 })]}
    />,
  );
  expect(screen.getByText("read 2 = created 2; 1 expected record not read")).toBeDefined();
});

test("a record type that was not reached is named, and nothing is as expected", async () => {
  const unreached = counts({ recordType: "equipment", reached: false });
  const read = counts({ expected: 3, read: 3, unchanged: 3 });
  const { unmount } = await renderUi(
    <TallyTable deadTasks={2} state="completed_with_errors" counts={[read, unreached]} />,
  );
  expect(screen.getByRole("cell", { name: "not reached" })).toBeDefined();
  const sum = screen.getByText("read 3 = unchanged 3; Equipment was not read; 2 tasks were given up");
  expect(sum.closest("p")?.dataset.tone).toBe("bad");
  unmount();
  await renderUi(<TallyTable deadTasks={0} state="running" counts={[read, unreached]} />);
  expect(screen.getByRole("cell", { name: "not yet" })).toBeDefined();
  expect(screen.getByText("read 3 = unchanged 3").closest("p")?.dataset.tone).toBe("neutral");
});

test.each(["running", "completed", "failed"] as const)(
  "a dead task of a %s sync is an error",
  async (state) => {
    await renderUi(
      <TallyTable deadTasks={1} state={state} counts={[counts({ expected: 3, read: 3, unchanged: 3 })]} />,
    );
    const sum = screen.getByText("read 3 = unchanged 3; 1 task was given up");
    expect(sum.closest("p")?.dataset.tone).toBe("bad");
  },
);

test("counts that add up are not as expected while a task is dead", async () => {
  await renderUi(
    <TallyTable
      deadTasks={1}
      state="completed_with_errors"
      counts={[counts({ expected: 3, read: 3, unchanged: 3 })]}
    />,
  );
  expect(screen.getByText("read 3 = unchanged 3; 1 task was given up")).toBeDefined();
});

test("numbers that are not zero are linked, with their outcome and record type", async () => {
  const linked: string[] = [];
  await renderUi(
    <TallyTable
      deadTasks={0}
      state="completed"
      counts={[counts({ read: 3, created: 2, rejected: 1 })]}
      cellLink={({ outcome, recordType, children }) => {
        linked.push(`${recordType ?? "all"} ${outcome}`);
        return <a href={`/${outcome}`}>{children}</a>;
      }}
    />,
  );
  expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual(["2", "1"]);
  expect(new Set(linked)).toEqual(new Set(["vessel created", "vessel rejected"]));
});
