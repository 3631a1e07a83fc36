import { useHotkeys } from "@mantine/hooks";
import { type ReactNode, useEffect, useRef } from "react";
import styles from "./table.module.css";

export interface Column<Row> {
  key: string;
  header: string;
  /** Figures stand right. */
  figure?: boolean;
  /**
   * Where it stands on a phone, where a row is a card: `beside` the first cell, or on a `line` of its own without its
   * header. Otherwise it stands in line with its header before it.
   */
  narrow?: "beside" | "line";
  cell: (row: Row) => ReactNode;
}

/** For the link in a row's first cell: it covers the row. */
export const rowLink = { className: styles.rowLink, "data-row-link": true };

/**
 * A table on a desk, cards on a phone. `j` and `k` walk its rows: a row's first cell holds its link, which covers the row.
 */
export function Table<Row>(props: {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  /** Rows answer to a click as their link does. */
  linked?: boolean;
  onHover?: (over: boolean) => void;
}) {
  const { label, columns, rows, rowKey, linked = false, onHover } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const walk = (step: number) => () => {
    const links = [...(body.current?.querySelectorAll<HTMLElement>("[data-row-link]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
  };
  useHotkeys(
    linked
      ? [
          ["j", walk(1)],
          ["k", walk(-1)],
        ]
      : [],
  );
  useNewRowMarks(body, rows, rowKey);
  return (
    <div
      className={styles.scroll}
      onPointerEnter={() => onHover?.(true)}
      onPointerLeave={() => onHover?.(false)}
    >
      <table aria-label={label} className={linked ? `${styles.table} ${styles.linked}` : styles.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" data-figure={column.figure || undefined}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-row={rowKey(row)}>
              {columns.map((column) => (
                <td
                  key={column.key}
                  data-label={column.header}
                  data-figure={column.figure || undefined}
                  data-narrow={column.narrow}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Marks rows that came on top of those that were there, so that they slide in. Another page's rows do not. */
function useNewRowMarks<Row>(
  body: React.RefObject<HTMLTableSectionElement | null>,
  rows: Row[],
  rowKey: (row: Row) => string,
) {
  const before = useRef<Set<string> | null>(null);
  useEffect(() => {
    const known = before.current;
    const keys = rows.map(rowKey);
    before.current = new Set(keys);
    if (!known || !keys.some((key) => known.has(key))) return;
    for (const row of body.current?.rows ?? []) {
      if (!known.has(row.dataset.row ?? "")) row.dataset.new = "";
    }
  });
}
