// Lists that live updates may change, but not under the eyes of whoever reads them.
import { useState } from "react";
import type { List } from "../api/types";

export interface Held<Row> {
  list: List<Row>;
  /** What waits to be shown: how many rows are new, and whether anything moved at all. */
  fresh: number;
  moved: boolean;
}

/** The rows that stand, each as it is now, and what waits. */
export function held<Row>(standing: List<Row>, latest: List<Row>, keyOf: (row: Row) => string): Held<Row> {
  const now = new Map(latest.data.map((row) => [keyOf(row), row]));
  const moved =
    standing.data.length !== latest.data.length ||
    standing.data.some((row, place) => {
      const there = latest.data[place];
      return there === undefined || keyOf(row) !== keyOf(there);
    });
  return {
    list: { ...standing, data: standing.data.map((row) => now.get(keyOf(row)) ?? row) },
    fresh: Math.max(0, latest.pagination.total - standing.pagination.total),
    moved,
  };
}

/**
 * What a list shows: the latest answer, or while `still`, the rows that stood when it became so. Another `place` in the
 * list (page, filter) is shown at once.
 */
export function useHeld<Row>(props: {
  latest: List<Row>;
  place: string;
  still: boolean;
  keyOf: (row: Row) => string;
}): Held<Row> & { show: () => void } {
  const { latest, place, still, keyOf } = props;
  const [kept, keep] = useState({ place, list: latest });
  const stands = still && kept.place === place;
  if (!stands && (kept.list !== latest || kept.place !== place)) keep({ place, list: latest });
  const show = () => keep({ place, list: latest });
  return stands
    ? { ...held(kept.list, latest, keyOf), show }
    : { list: latest, fresh: 0, moved: false, show };
}
