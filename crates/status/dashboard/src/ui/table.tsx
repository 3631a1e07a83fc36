import { useHotkeys } from "@mantine/hooks";
import { type ReactNode, useRef } from "react";

export interface Column<Row> {
  key: string;
  header: string;
  /** Figures stand right. */
  figure?: boolean;
  cell: (row: Row) => ReactNode;
}

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
  onPointer?: (over: boolean) => void;
}) {
  const { label, columns, rows, rowKey, linked = false, onPointer } = props;
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
  return (
    <div
      className="table-scroll"
      onPointerEnter={() => onPointer?.(true)}
      onPointerLeave={() => onPointer?.(false)}
    >
      <table aria-label={label} className={linked ? "table linked" : "table"}>
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
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.key} data-label={column.header} data-figure={column.figure || undefined}>
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
