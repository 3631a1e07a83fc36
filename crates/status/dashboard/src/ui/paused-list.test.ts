import { expect, test } from "vitest";
import type { List } from "../api/types";
import { held } from "./paused-list";

type Row = { id: string; state: string };
const list = (rows: string[], total = rows.length, state = "running"): List<Row> => ({
  data: rows.map((id) => ({ id, state })),
  pagination: { limit: 20, offset: 0, total },
});
const keyOf = (row: Row) => row.id;

test("rows that stand are shown as they are now, and nothing waits", () => {
  const { list: shown, moved } = held(list(["b", "a"]), list(["b", "a"], 2, "completed"), keyOf);
  expect(shown.data.map((row) => row.state)).toEqual(["completed", "completed"]);
  expect(moved).toBe(false);
});

test("rows that are new wait, counted, and the others stay where they are", () => {
  const { list: shown, fresh, moved } = held(list(["b", "a"]), list(["d", "c", "b", "a"]), keyOf);
  expect(shown.data.map(keyOf)).toEqual(["b", "a"]);
  expect({ fresh, moved }).toEqual({ fresh: 2, moved: true });
});

test("new rows count on a full page too, where they push others out", () => {
  const { list: shown, fresh } = held(list(["b", "a"], 40), list(["c", "b"], 41), keyOf);
  expect(shown.data.map(keyOf)).toEqual(["b", "a"]);
  expect(fresh).toBe(1);
});

test("a row that left a filtered list stands until it is asked for", () => {
  const { list: shown, fresh, moved } = held(list(["b", "a"]), list(["a"]), keyOf);
  expect(shown.data.map(keyOf)).toEqual(["b", "a"]);
  expect({ fresh, moved }).toEqual({ fresh: 0, moved: true });
});
