import { type ReactNode, Suspense, useState } from "react";
import type { WindowRow } from "../format/analytics";
import { Card } from "./card";
import { chartClass } from "./chart-class";
import styles from "./charts.module.css";
import { type Column, Table } from "./table";
import text from "./text.module.css";
import { WhenSeen } from "./when-seen";

/** Columns of figures that fit a phone beside each other. */
const COMPACT_COLUMNS_MAX = 4;

/** A chart with its figures as a table behind it. `missing` says why there is no chart. */
export function ChartCard(props: {
  title: string;
  caption: string;
  missing: ReactNode;
  rows: WindowRow[];
  /** Stable between renders. */
  columns: Column<WindowRow>[];
  aside?: ReactNode;
  /** One of several parts of a page: drawn when it comes into view. */
  isSmall?: boolean;
  children: ReactNode;
}) {
  const { title, caption, missing, rows, columns, aside, isSmall = false, children } = props;
  const [isOpen, setOpen] = useState(false);
  const chart = <Suspense fallback={<div className={chartClass(isSmall)} />}>{children}</Suspense>;
  return (
    <Card title={title} aside={aside}>
      {missing ? (
        <div className={isSmall ? styles.missing : text.dim}>{missing}</div>
      ) : (
        <div>
          <p className={text.dim}>{caption}</p>
          {isSmall ? <WhenSeen className={chartClass(isSmall)}>{chart}</WhenSeen> : chart}
          <details onToggle={(event) => setOpen(event.currentTarget.open)}>
            <summary className={styles.summary}>Show as table</summary>
            {isOpen && (
              <Table
                label={title}
                columns={columns}
                data={rows}
                rowKey={(row) => row.startsAt}
                compact={columns.length <= COMPACT_COLUMNS_MAX}
              />
            )}
          </details>
        </div>
      )}
    </Card>
  );
}
