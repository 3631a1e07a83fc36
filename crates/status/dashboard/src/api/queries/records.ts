// Records of the maintenance portal and their timelines.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { AcknowledgementRequest, RecordType } from "../types";
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

export type PartFilter = Filter<Query<"listParts">>;

/** Critical parts and maintenance schedules, of one vessel or one piece of equipment. */
export const listParts = (page: PageParams, filter: PartFilter) =>
  queryOptions({
    queryKey: keys.parts(page, filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/parts", { params: { query: queryOf(page, filter) }, signal })),
    placeholderData: keepPreviousData,
  });

/** A change of what an operator has said of a rejection. */
function useRejectionCommand<Body = void>(mutationFn: (body: Body) => Promise<unknown>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () =>
      Promise.all([keys.records, keys.overview].map((queryKey) => cache.invalidateQueries({ queryKey }))),
  });
}

type RecordPath = { recordType: RecordType; sourceId: string };
const ACKNOWLEDGEMENT = "/api/sync/records/{recordType}/{sourceId}/acknowledgement";

export const useAcknowledgeRejection = ({ recordType, sourceId }: RecordPath) =>
  useRejectionCommand((body: AcknowledgementRequest) =>
    unwrap(client.PUT(ACKNOWLEDGEMENT, { params: { path: { recordType, sourceId } }, body })),
  );

export const useWithdrawAcknowledgement = ({ recordType, sourceId }: RecordPath) =>
  useRejectionCommand(() =>
    unwrap(client.DELETE(ACKNOWLEDGEMENT, { params: { path: { recordType, sourceId } } })),
  );
