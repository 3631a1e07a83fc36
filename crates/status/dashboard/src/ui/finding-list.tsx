import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { ValidationReport } from "../api/types";
import { findingColumns, findingKey } from "./finding-columns";
import { Pager } from "./pager";
import { QueryResult } from "./query-result";
import { Table } from "./table";

/** A page of a report's findings, with a pager. For a part of a page: the list of all findings is a `LiveList`. */
export function FindingList(props: {
  query: Pick<UseQueryResult<ValidationReport>, "data" | "error" | "isError" | "refetch">;
  page: number;
  pageSize: number;
  empty: ReactNode;
  /** Page 1 has no number in the URL. */
  onPage: (page: number | undefined) => void;
}) {
  const { query, page, pageSize, empty, onPage } = props;
  return (
    <QueryResult query={query}>
      {({ findings, pagination }) =>
        pagination.total === 0 ? (
          empty
        ) : (
          <>
            <Table label="Findings" columns={findingColumns} data={findings} rowKey={findingKey} />
            <Pager
              page={page}
              pageSize={pageSize}
              total={pagination}
              itemNoun="findings"
              onPage={(next) => onPage(next > 1 ? next : undefined)}
            />
          </>
        )
      }
    </QueryResult>
  );
}
