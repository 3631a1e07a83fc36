import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { Resolution, ResolvedMany, ResolveRequest } from "../types";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf } from "./paging";

export type ConflictFilter = Filter<Query<"listConflicts">>;

export const listConflicts = (page: PageParams, filter: ConflictFilter) =>
  queryOptions({
    queryKey: keys.conflictList(page, filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/conflicts", { params: { query: queryOf(page, filter) }, signal })),
    placeholderData: keepPreviousData,
  });

export const getConflict = (id: string) =>
  queryOptions({
    queryKey: keys.conflict(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/conflicts/{id}", { params: { path: { id } }, signal })),
  });

export const useResolveConflict = (id: string) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: ResolveRequest) =>
      unwrap(client.POST("/api/sync/conflicts/{id}/resolve", { params: { path: { id } }, body })),
    onSettled: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: keys.conflicts }),
        cache.invalidateQueries({ queryKey: keys.overview }),
      ]),
  });
};

export const useResolveConflicts = (onSuccess: (result: ResolvedMany) => void) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: { ids: string[]; resolution: Exclude<Resolution, "fields"> }) =>
      unwrap(client.POST("/api/sync/conflicts/resolve", { body })),
    onSuccess,
    onSettled: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: keys.conflicts }),
        cache.invalidateQueries({ queryKey: keys.overview }),
      ]),
  });
};
