import { useVirtualizer } from "@tanstack/react-virtual";
import type { ReactNode } from "react";
import styles from "./table.module.css";

/** Tables with fewer rows render them all: lists are paged, and 20 rows cost nothing. */
export const VIRTUAL_ROWS_MIN = 60;

/** Height of a row before it is measured, in px. */
const ROW_HEIGHT_ESTIMATE = 48;

/** The rows of a table body that are visible in its scrolling region, with empty rows in place of the others. */
export function VirtualRows<Row extends { id: string }>(props: {
  region: HTMLElement | null;
  rows: Row[];
  columnCount: number;
  renderCells: (row: Row) => ReactNode;
}) {
  const { region, rows, columnCount, renderCells } = props;
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => region,
    getItemKey: (index) => rows[index]?.id ?? index,
    estimateSize: () => ROW_HEIGHT_ESTIMATE,
    overscan: 8,
  });
  const items = virtualizer.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <>
      <EmptyRow height={above} columnCount={columnCount} />
      {items.map(({ index, key }) => {
        const row = rows[index];
        return (
          row && (
            <tr
              key={key}
              ref={virtualizer.measureElement}
              data-index={index}
              data-row={row.id}
              // The header is row 1.
              aria-rowindex={index + 2}
            >
              {renderCells(row)}
            </tr>
          )
        );
      })}
      <EmptyRow height={below} columnCount={columnCount} />
    </>
  );
}

function EmptyRow({ height, columnCount }: { height: number; columnCount: number }) {
  return height > 0 ? (
    <tr aria-hidden className={styles.emptyRow}>
      <td colSpan={columnCount} style={{ height }} />
    </tr>
  ) : null;
}
