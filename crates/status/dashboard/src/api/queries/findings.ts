// Findings: of the whole fleet, of one sync, of one vessel.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { Severity } from "../types";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf } from "./paging";

export type FindingFilter = Pick<Filter<Query<"getValidationReport">>, "severity" | "recordType">;

/** The findings of a sync, with filters that its own list does not have. */
export const listFindings = (syncId: string, page: PageParams, filter: FindingFilter) =>
  queryOptions({
    queryKey: keys.findings(syncId, page, filter),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/validation/reports", {
          params: { query: { ...queryOf(page, filter), syncId } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** The page of the report that the overview and the navigation share: all counts, and the first findings by name. */
export const FIRST_FINDINGS: PageParams = { limit: 10, offset: 0 };

export const getValidationReport = (page: PageParams, severity: Severity | undefined) =>
  queryOptions({
    queryKey: [...keys.dataQuality, page, severity ?? "any"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/validation/reports", {
          params: { query: { ...page, ...(severity ? { severity } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** Findings about a vessel, its equipment and its users as they are now. */
export const getVesselReport = (vessel: string, page: PageParams) =>
  queryOptions({
    queryKey: [...keys.dataQuality, "vessel", vessel, page],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/validation/reports", { params: { query: { ...page, vessel } }, signal })),
    placeholderData: keepPreviousData,
  });
