// A list that live updates may not move while it is paused: while the operator points at it, filters it or pages in it.
import { useState } from "react";
import type { List } from "../api/types";

export interface PausedList<Row> {
  list: List<Row>;
  /** How many new rows are held back. */
  newRows: number;
  /** Whether rows were added, removed or moved since the list was paused. */
  changed: boolean;
}

/** The paused rows in their places, with their latest values. */
export function pausedList<Row>(
  paused: List<Row>,
  latest: List<Row>,
  rowKey: (row: Row) => string,
): PausedList<Row> {
  const latestRows = new Map(latest.data.map((row) => [rowKey(row), row]));
  const pausedKeys = paused.data.map(rowKey);
  return {
    list: { ...paused, data: paused.data.map((row) => latestRows.get(rowKey(row)) ?? row) },
    newRows: Math.max(0, latest.pagination.total - paused.pagination.total),
    changed: pausedKeys.join("\n") !== latest.data.map(rowKey).join("\n"),
  };
}

/**
 * The latest list, or while `isPaused`, the rows as they were when the pause began. Another `view` (page, filter) shows at
 * once.
 */
export function usePausedList<Row>(props: {
  latest: List<Row>;
  view: string;
  isPaused: boolean;
  rowKey: (row: Row) => string;
}): PausedList<Row> & { showLatest: () => void } {
  const { latest, view, isPaused, rowKey } = props;
  const [shown, setShown] = useState({ view, list: latest, isPaused });
  // A list that comes in the very render in which the pause begins is still shown.
  const keepsShown = isPaused && shown.isPaused && shown.view === view;
  const isCurrent = shown.list === latest && shown.view === view && shown.isPaused === isPaused;
  if (!keepsShown && !isCurrent) setShown({ view, list: latest, isPaused });
  const showLatest = () => setShown({ view, list: latest, isPaused });
  return keepsShown
    ? { ...pausedList(shown.list, latest, rowKey), showLatest }
    : { list: latest, newRows: 0, changed: false, showLatest };
}
