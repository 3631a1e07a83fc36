import { renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import type { List } from "../api/types";
import { pausedList, usePausedList } from "./paused-list";

type Row = { id: string; state: string };
const list = (rows: string[], total = rows.length, state = "running"): List<Row> => ({
  data: rows.map((id) => ({ id, state })),
  pagination: { limit: 20, offset: 0, total },
});
const rowKey = (row: Row) => row.id;

test("paused rows show their latest values", () => {
  const { list: shown, changed } = pausedList(list(["b", "a"]), list(["b", "a"], 2, "completed"), rowKey);
  expect(shown.data.map((row) => row.state)).toEqual(["completed", "completed"]);
  expect(changed).toBe(false);
});

test("new rows are held back and counted", () => {
  const { list: shown, newRows, changed } = pausedList(list(["b", "a"]), list(["d", "c", "b", "a"]), rowKey);
  expect(shown.data.map(rowKey)).toEqual(["b", "a"]);
  expect({ newRows, changed }).toEqual({ newRows: 2, changed: true });
});

test("new rows are counted on a full page, where they push others out", () => {
  const { list: shown, newRows } = pausedList(list(["b", "a"], 40), list(["c", "b"], 41), rowKey);
  expect(shown.data.map(rowKey)).toEqual(["b", "a"]);
  expect(newRows).toBe(1);
});

test("a row that left a filtered list stays until the latest list is shown", () => {
  const { list: shown, newRows, changed } = pausedList(list(["b", "a"]), list(["a"]), rowKey);
  expect(shown.data.map(rowKey)).toEqual(["b", "a"]);
  expect({ newRows, changed }).toEqual({ newRows: 0, changed: true });
});

test("the list that comes as the pause begins is shown, and later ones wait", () => {
  const of = (...ids: string[]) => ({
    data: ids.map((id) => ({ id })),
    pagination: { limit: 20, offset: 0, total: ids.length },
  });
  const { result, rerender } = renderHook(
    ({ latest, isPaused }) => usePausedList({ latest, isPaused, view: "1", rowKey: (row) => row.id }),
    { initialProps: { latest: of("a", "b"), isPaused: false } },
  );
  rerender({ latest: of("b"), isPaused: true });
  expect(result.current.list.data).toEqual([{ id: "b" }]);
  rerender({ latest: of("c", "b"), isPaused: true });
  expect(result.current.list.data).toEqual([{ id: "b" }]);
  expect(result.current.changed).toBe(true);
});
