// Records of the maintenance portal and their timelines.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { RecordType } from "../types";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf } from "./paging";

export type RecordFilter = Filter<Query<"listRecords">>;

export const listRecords = (recordType: RecordType, page: PageParams, filter: RecordFilter) =>
  queryOptions({
    queryKey: keys.recordList(recordType, page, filter),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/records/{recordType}", {
          params: { path: { recordType }, query: queryOf(page, filter) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const getRecord = (recordType: RecordType, sourceId: string) =>
  queryOptions({
    queryKey: keys.record(recordType, sourceId),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/records/{recordType}/{sourceId}", {
          params: { path: { recordType, sourceId } },
          signal,
        }),
      ),
  });

export const getTimeline = (recordType: RecordType, sourceId: string, page: PageParams) =>
  queryOptions({
    queryKey: keys.timeline(recordType, sourceId, page),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/records/{recordType}/{sourceId}/timeline", {
          params: { path: { recordType, sourceId }, query: page },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
