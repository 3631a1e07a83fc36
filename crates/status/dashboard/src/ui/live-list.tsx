import { Button } from "@mantine/core";
import { type UseQueryResult, useIsMutating } from "@tanstack/react-query";
import type { RowData } from "@tanstack/react-table";
import { type ReactNode, useState } from "react";
import type { List } from "../api/types";
import { formatCount } from "../format/numbers";
import styles from "./live-list.module.css";
import { Pager } from "./pager";
import { usePausedList } from "./paused-list";
import { QueryResult } from "./query-result";
import { type Column, Table } from "./table";

interface Props<Row extends RowData> {
  query: Pick<UseQueryResult<List<Row>>, "data" | "error" | "isError" | "isPlaceholderData" | "refetch">;
  /** The items in the plural: `syncs`. */
  itemNoun: string;
  label: string;
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  page: number;
  pageSize: number;
  /** Whether each row is a link. */
  linked?: boolean;
  filter: string | undefined;
  empty: ReactNode;
  /** Stands above the rows that are shown, which may be older than the latest. */
  toolbar?: (rows: Row[]) => ReactNode;
  onPage: (page: number) => void;
}

/**
 * A paged list that follows live updates. New rows slide in on the first page. On another page, under a filter and under
 * the pointer they wait behind a button, so that nothing moves while an operator reads or clicks.
 */
export function LiveList<Row extends RowData>(props: Props<Row>) {
  return (
    <QueryResult query={props.query} lines={10}>
      {(latest) => <LiveRows {...props} latest={latest} />}
    </QueryResult>
  );
}

function LiveRows<Row extends RowData>(props: Props<Row> & { latest: List<Row> }) {
  const { query, latest, itemNoun, label, columns, rowKey, page, pageSize, filter, linked = true } = props;
  const [isHovered, setHovered] = useState(false);
  // What an operator's own action changes is shown at once.
  const isActing = useIsMutating() > 0;
  const { list, newRows, changed, showLatest } = usePausedList({
    latest,
    // Rows of the previous page, shown while the next one loads, are a view of their own.
    view: query.isPlaceholderData ? "loading" : `${page} ${filter ?? ""}`,
    isPaused: (isHovered || page > 1 || filter !== undefined) && !isActing,
    rowKey,
  });
  const { total } = list.pagination;
  if (total === 0 && !changed) return props.empty;
  return (
    <div className={styles.list}>
      {changed && (
        <Button
          size="xs"
          className={styles.newRows}
          onClick={() => {
            showLatest();
            if (page > 1) props.onPage(1);
          }}
        >
          {newRows > 0 ? `${formatCount(newRows)} new` : "Show changes"}
        </Button>
      )}
      {props.toolbar?.(list.data)}
      <div className={styles.panel}>
        <Table
          label={label}
          columns={columns}
          data={list.data}
          rowKey={rowKey}
          linked={linked}
          onHover={setHovered}
        />
      </div>
      <Pager
        page={page}
        pageSize={pageSize}
        total={list.pagination}
        itemNoun={itemNoun}
        onPage={props.onPage}
      />
    </div>
  );
}
