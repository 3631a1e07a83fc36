// Dead letters and the jobs that replay them.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { ReplayAccepted, ReplayItemState, ReplayRequest } from "../types";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf, wordsOf } from "./paging";

export type DeadLetterFilter = Pick<Filter<Query<"listDeadLetters">>, "state" | "recordType" | "sourceId">;

/** The filters as the API takes them: a state may stand there several times. */
const deadLetterQuery = (page: PageParams, { state, ...rest }: DeadLetterFilter) => ({
  ...queryOf(page, rest),
  ...wordsOf({ state }),
});

export const listDeadLetters = (page: PageParams, filter: DeadLetterFilter) =>
  queryOptions({
    queryKey: keys.deadLetterList(page, filter),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/dead-letters", { params: { query: deadLetterQuery(page, filter) }, signal }),
      ),
    placeholderData: keepPreviousData,
  });

export const getDeadLetter = (id: string) =>
  queryOptions({
    queryKey: keys.deadLetter(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/dead-letters/{id}", { params: { path: { id } }, signal })),
  });

export const listDeadLetterGroups = (page: PageParams, filter: DeadLetterFilter) =>
  queryOptions({
    queryKey: keys.deadLetterGroups(page, filter),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/dead-letters/groups", {
          params: { query: deadLetterQuery(page, filter) },
          signal,
        }),
      ),
  });

export const planReplay = (request: ReplayRequest) =>
  queryOptions({
    queryKey: keys.replayPlan(request),
    queryFn: ({ signal }) => unwrap(client.POST("/api/sync/bulk/replay/plan", { body: request, signal })),
    // A plan is of the moment in which it is shown.
    staleTime: 0,
    gcTime: 0,
  });

export const listReplayJobs = (page: PageParams) =>
  queryOptions({
    queryKey: keys.replayJobs(page),
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/bulk/replay", { params: { query: page }, signal })),
  });

export const getReplayJob = (jobId: string) =>
  queryOptions({
    queryKey: keys.replayJob(jobId),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/bulk/replay/{jobId}", { params: { path: { jobId } }, signal })),
    // The outcomes of a running job come with no update.
    refetchInterval: ({ state }) => (state.data?.state === "running" ? 2000 : false),
  });

export const listReplayItems = (jobId: string, page: PageParams, outcome?: ReplayItemState) =>
  queryOptions({
    queryKey: keys.replayItems(jobId, page, outcome),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/bulk/replay/{jobId}/items", {
          params: { path: { jobId }, query: { ...page, ...(outcome ? { outcome } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const useReplayDeadLetters = (onSuccess: (result: ReplayAccepted) => void) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (target: ReplayRequest | string) =>
      typeof target === "string"
        ? unwrap(client.POST("/api/sync/dead-letters/{id}/replay", { params: { path: { id: target } } }))
        : unwrap(client.POST("/api/sync/bulk/replay", { body: target })),
    onSuccess,
    onSettled: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: keys.deadLetters }),
        cache.invalidateQueries({ queryKey: keys.overview }),
      ]),
  });
};

export const useCancelReplayJob = (jobId: string) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () =>
      unwrap(client.POST("/api/sync/bulk/replay/{jobId}/cancel", { params: { path: { jobId } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.deadLetters }),
  });
};
