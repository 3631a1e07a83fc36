import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { List } from "../api/types";
import { count } from "../format/numbers";
import { Pager } from "./pager";
import { useHeld } from "./paused-list";
import { Answer } from "./query-result";
import { type Column, Table } from "./table";

interface Props<Row> {
  of: Pick<UseQueryResult<List<Row>>, "data" | "error" | "isError" | "isPlaceholderData" | "refetch">;
  /** What it lists, in the plural. */
  what: string;
  label: string;
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
  page: number;
  size: number;
  /** Whether its rows lead somewhere. */
  linked?: boolean;
  /** What narrows the list, if anything does. */
  filter: string | undefined;
  empty: ReactNode;
  onPage: (page: number) => void;
}

/**
 * A list in pages that lives. What is new on the first page slides in; on another page, under a filter and under the
 * pointer it waits behind a button, so that nothing moves while one reads or aims.
 */
export function LiveList<Row>(props: Props<Row>) {
  return (
    <Answer of={props.of} lines={10}>
      {(latest) => <Rows {...props} latest={latest} />}
    </Answer>
  );
}

function Rows<Row>(props: Props<Row> & { latest: List<Row> }) {
  const { of, latest, what, label, columns, keyOf, page, size, filter, linked = true, empty, onPage } = props;
  const [pointer, setPointer] = useState(false);
  const { list, fresh, moved, show } = useHeld({
    latest,
    // What stands while another page is on its way is no place of its own.
    place: of.isPlaceholderData ? "on its way" : `${page} ${filter ?? ""}`,
    still: pointer || page > 1 || filter !== undefined,
    keyOf,
  });
  const { total } = list.pagination;
  if (total === 0 && !moved) return empty;
  return (
    <div className="live-list">
      {moved && (
        <Button
          size="xs"
          className="pill"
          onClick={() => {
            show();
            if (page > 1) onPage(1);
          }}
        >
          {fresh > 0 ? `${count(fresh)} new` : "Show what has changed"}
        </Button>
      )}
      <Table
        label={label}
        columns={columns}
        rows={list.data}
        rowKey={keyOf}
        linked={linked}
        onPointer={setPointer}
      />
      <Pager page={page} size={size} total={total} what={what} onPage={onPage} />
    </div>
  );
}
