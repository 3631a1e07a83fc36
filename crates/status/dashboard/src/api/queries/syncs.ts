// Syncs, their changes, undos and older records.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { isOpen } from "../../format/states";
import { client, unwrap } from "../client";
import { Problem } from "../problem";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf, wordsOf } from "./paging";

export type SyncFilter = Filter<Query<"listSyncs">>;

export type ChangeFilter = Filter<Query<"listChanges">>;

export const listSyncs = (page: PageParams, filter: SyncFilter = {}) =>
  queryOptions({
    queryKey: keys.history(page, filter),
    queryFn: ({ signal }) => {
      const { state, cause, mode, recordType, ...rest } = filter;
      const query = { ...queryOf(page, rest), ...wordsOf({ state, cause, mode, recordType }) };
      return unwrap(client.GET("/api/sync/history", { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
  });

/** The newest syncs, as many as the overview shows. */
export const listRecentSyncs = () => listSyncs({ limit: 24, offset: 0 });

/** `interval`: time between two requests while the sync runs, in ms. */
export const getSync = (syncId: string, interval = 10_000) =>
  queryOptions({
    queryKey: keys.sync(syncId),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/status/{syncId}", { params: { path: { syncId } }, signal })),
    // Retries and their attempts come with no update.
    refetchInterval: ({ state }) => (state.data && isOpen(state.data.state) ? interval : false),
  });

export const listChanges = (syncId: string, page: PageParams, filter: ChangeFilter) =>
  queryOptions({
    queryKey: keys.changes(syncId, page, filter),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/status/{syncId}/changes", {
          params: { path: { syncId }, query: queryOf(page, filter) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** The undo of a sync; null of a sync that was not undone. */
export const getUndo = (syncId: string, page: PageParams) =>
  queryOptions({
    queryKey: keys.undo(syncId, page),
    queryFn: async ({ signal }) => {
      const request = client.GET("/api/sync/status/{syncId}/undo", {
        params: { path: { syncId }, query: page },
        signal,
      });
      try {
        return await unwrap(request);
      } catch (thrown) {
        if (thrown instanceof Problem && thrown.status === 404) return null;
        throw thrown;
      }
    },
    placeholderData: keepPreviousData,
  });

/** What an undo would do now. Nothing is changed. */
export const planUndo = (syncId: string) =>
  queryOptions({
    // Not below the sync: an update about its undo must not plan another one.
    queryKey: ["undo-plan", syncId],
    queryFn: ({ signal }) =>
      unwrap(
        client.POST("/api/sync/status/{syncId}/undo/plan", {
          params: { path: { syncId }, query: { limit: 1 } },
          signal,
        }),
      ),
    // Of each opening of the dialog anew, and not again while it is open.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export const getOlderRecords = (syncId: string) =>
  queryOptions({
    queryKey: keys.olderRecords(syncId),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/syncs/{syncId}/accept-older", { params: { path: { syncId } }, signal })),
  });

/** The older records of a sync by name, at most 20. */
export const listOlderRecords = (syncId: string) =>
  queryOptions({
    queryKey: [...keys.olderRecords(syncId), "names"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/validation/reports", {
          params: { query: { syncId, code: "older_than_here", limit: 20, offset: 0 } },
          signal,
        }),
      ),
  });
