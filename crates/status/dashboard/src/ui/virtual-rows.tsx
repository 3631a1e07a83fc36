import { useVirtualizer } from "@tanstack/react-virtual";
import type { ReactNode } from "react";
import styles from "./table.module.css";

/** Height of a row before it is measured, in px. */
const ROW_HEIGHT_ESTIMATE = 48;

/** The rows of a table body that are visible in its scrolling region, with empty rows in place of the others. */
export function VirtualRows(props: {
  region: HTMLElement | null;
  rowIds: string[];
  columnCount: number;
  renderCells: (index: number) => ReactNode;
}) {
  const { region, rowIds, columnCount, renderCells } = props;
  const virtualizer = useVirtualizer({
    count: rowIds.length,
    getScrollElement: () => region,
    getItemKey: (index) => rowIds[index] ?? index,
    estimateSize: () => ROW_HEIGHT_ESTIMATE,
    overscan: 8,
  });
  const items = virtualizer.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <>
      <EmptyRow height={above} columnCount={columnCount} />
      {items.map(({ index, key }) => (
        <tr
          key={key}
          ref={virtualizer.measureElement}
          data-index={index}
          data-row={rowIds[index]}
          // The header is row 1.
          aria-rowindex={index + 2}
        >
          {renderCells(index)}
        </tr>
      ))}
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
