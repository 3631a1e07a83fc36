import { useHotkeys } from "@mantine/hooks";
import {
  type ColumnDef,
  createColumnHelper,
  metaHelper,
  type Row,
  type RowData,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { type ReactNode, type RefObject, Suspense, useEffect, useRef, useState } from "react";
import { lazyComponent } from "./lazy-component";
import { isDialogOpen } from "./open-dialog";
import styles from "./table.module.css";

const VirtualRows = lazyComponent(() => import("./virtual-rows"), "VirtualRows");

/** Tables with fewer rows render them all: lists are paged, and 20 rows cost nothing. */
const VIRTUAL_ROWS_MIN = 60;

/** What a column may say in its `meta`. */
interface ColumnLayout {
  /** A number: aligned right, on one line. */
  figure?: boolean;
  /** The column names its row. */
  rowHeader?: boolean;
  /**
   * Its place in a card, which a row is on a phone: `beside` the first cell, or on a `line` of its own without its header.
   * All other cells follow in one line, each after its header.
   */
  narrow?: "beside" | "line";
  className?: string | undefined;
}

const features = tableFeatures({ columnMeta: metaHelper<ColumnLayout>() });

export type Column<Data extends RowData> = ColumnDef<typeof features, Data>;

/** TanStack's column helper, with our `meta`. */
export const columnsOf = <Data extends RowData>() => createColumnHelper<typeof features, Data>();

/** Props of the link in a row's first cell. It covers the row. */
export const rowLink = { className: styles.rowLink, "data-row-link": true };

interface Props<Data extends RowData> {
  label: string;
  /** Stable between renders, as TanStack Table demands. */
  columns: Column<Data>[];
  data: Data[];
  rowKey: (row: Data) => string;
  /** Each row has a `rowLink`; `j` and `k` move between them. */
  linked?: boolean;
  /** Shows the footers of the columns. */
  footer?: boolean;
  /** Few short columns, which fit a phone: rows never become cards. */
  compact?: boolean;
  onHover?: (isHovered: boolean) => void;
}

/**
 * A table; narrower than 800 px, a list of cards unless it is compact. With VIRTUAL_ROWS_MIN rows or more it scrolls within itself and renders
 * only the visible rows.
 */
export function Table<Data extends RowData>(props: Props<Data>) {
  const { label, columns, data, rowKey, linked = false, footer = false, compact = false, onHover } = props;
  // State, not a ref: the virtual rows need the element in the render after it was mounted.
  const [region, setRegion] = useState<HTMLElement | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const table = useTable({ features, columns, data, getRowId: rowKey });
  const { rows } = table.getRowModel();
  const isVirtual = rows.length >= VIRTUAL_ROWS_MIN;
  useRowKeys(body, linked);
  useNewRowMarks(body, data, rowKey);

  const renderCells = (row: Row<typeof features, Data>) =>
    row.getAllCells().map((cell) => (
      <TableCell key={cell.id} column={cell.column.columnDef}>
        <table.FlexRender cell={cell} />
      </TableCell>
    ));

  return (
    <section
      ref={setRegion}
      className={styles.scroll}
      data-compact={compact || undefined}
      onPointerEnter={() => onHover?.(true)}
      onPointerLeave={() => onHover?.(false)}
      // A region that scrolls must be reachable by keyboard.
      {...(isVirtual ? { tabIndex: 0, "aria-label": label, "data-virtual": true } : {})}
    >
      <table
        aria-label={label}
        aria-rowcount={isVirtual ? rows.length + 1 : undefined}
        className={linked ? `${styles.table} ${styles.linked}` : styles.table}
      >
        <thead>
          <tr aria-rowindex={isVirtual ? 1 : undefined}>
            {table.getFlatHeaders().map((header) => (
              <th key={header.id} scope="col" data-figure={header.column.columnDef.meta?.figure || undefined}>
                <table.FlexRender header={header} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {isVirtual ? (
            <Suspense>
              <VirtualRows
                region={region}
                rowIds={rows.map(({ id }) => id)}
                columnCount={columns.length}
                renderCells={(index) => {
                  const row = rows[index];
                  return row && renderCells(row);
                }}
              />
            </Suspense>
          ) : (
            rows.map((row) => (
              <tr key={row.id} data-row={row.id}>
                {renderCells(row)}
              </tr>
            ))
          )}
        </tbody>
        {footer && (
          <tfoot>
            <tr>
              {table.getFlatHeaders().map((header) => (
                <TableCell key={header.id} column={header.column.columnDef}>
                  <table.FlexRender footer={header} />
                </TableCell>
              ))}
            </tr>
          </tfoot>
        )}
      </table>
    </section>
  );
}

function TableCell<Data extends RowData>(props: { column: Column<Data>; children: ReactNode }) {
  const { header, meta = {} } = props.column;
  const Cell = meta.rowHeader ? "th" : "td";
  return (
    <Cell
      scope={meta.rowHeader ? "row" : undefined}
      data-label={typeof header === "string" ? header : undefined}
      data-figure={meta.figure || undefined}
      data-narrow={meta.narrow}
      className={meta.className}
    >
      {props.children}
    </Cell>
  );
}

/** `j` and `k` move the focus between the row links. */
function useRowKeys(body: RefObject<HTMLTableSectionElement | null>, enabled: boolean) {
  const move = (step: number) => () => {
    if (isDialogOpen()) return;
    const links = [...(body.current?.querySelectorAll<HTMLElement>("[data-row-link]") ?? [])];
    const focused = links.indexOf(document.activeElement as HTMLElement);
    const next = focused < 0 ? 0 : Math.min(links.length - 1, Math.max(0, focused + step));
    links[next]?.focus();
  };
  useHotkeys(
    enabled
      ? [
          ["j", move(1)],
          ["k", move(-1)],
        ]
      : [],
  );
}

/** Marks rows added to those already shown, so that they slide in. The rows of another page are not marked. */
function useNewRowMarks<Data>(
  body: RefObject<HTMLTableSectionElement | null>,
  data: Data[],
  rowKey: (row: Data) => string,
) {
  const shownKeys = useRef<Set<string> | null>(null);
  useEffect(() => {
    const shown = shownKeys.current;
    const keys = data.map(rowKey);
    shownKeys.current = new Set(keys);
    if (!shown || !keys.some((key) => shown.has(key))) return;
    for (const row of body.current?.querySelectorAll("tr") ?? []) {
      const key = row.dataset.row;
      if (key !== undefined && !shown.has(key)) row.dataset.new = "";
    }
  });
}
