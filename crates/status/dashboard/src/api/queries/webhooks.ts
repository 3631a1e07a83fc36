// Webhook events, refused requests, and their reprocessing.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { ReprocessAccepted, ReprocessRequest } from "../types";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf, wordsOf } from "./paging";

export type WebhookFilter = Filter<Query<"listWebhooks">>;

export type RefusalFilter = Filter<Query<"listRefusedWebhooks">>;

export const listWebhooks = (page: PageParams, filter: WebhookFilter) =>
  queryOptions({
    queryKey: keys.webhookList(page, filter),
    queryFn: ({ signal }) => {
      const { state, ...rest } = filter;
      const query = { ...queryOf(page, rest), ...wordsOf({ state }) };
      return unwrap(client.GET("/api/sync/webhooks", { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
  });

export const listRefusedWebhooks = (page: PageParams, filter: RefusalFilter) =>
  queryOptions({
    queryKey: keys.refusedWebhooks(page, filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/webhooks/refused", { params: { query: queryOf(page, filter) }, signal })),
    placeholderData: keepPreviousData,
    // Refusals come with no update.
    refetchInterval: 30_000,
  });

export const getWebhook = (id: string) =>
  queryOptions({
    queryKey: keys.webhook(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/webhooks/{id}", { params: { path: { id } }, signal })),
  });

/** The bytes of a webhook's body. Reading them is an entry of the audit log. */
export const getWebhookBody = (id: string) =>
  queryOptions({
    queryKey: keys.webhookBody(id),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/webhooks/{id}/raw-body", {
          params: { path: { id } },
          parseAs: "arrayBuffer",
          signal,
        }),
      ) as Promise<ArrayBuffer>,
    // A body never changes, so that no update reads it again.
    staleTime: "static",
  });

export const planReprocess = (request: ReprocessRequest) =>
  queryOptions({
    queryKey: keys.reprocessPlan(request),
    queryFn: ({ signal }) => unwrap(client.POST("/api/sync/bulk/reprocess/plan", { body: request, signal })),
    staleTime: 0,
    gcTime: 0,
  });

export const useReprocessWebhooks = (onSuccess: (result: ReprocessAccepted) => void) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (target: ReprocessRequest | string) =>
      typeof target === "string"
        ? unwrap(client.POST("/api/sync/webhooks/{id}/reprocess", { params: { path: { id: target } } }))
        : unwrap(client.POST("/api/sync/bulk/reprocess", { body: target })),
    onSuccess,
    onSettled: () =>
      Promise.all([
        cache.invalidateQueries({ queryKey: keys.webhooks }),
        cache.invalidateQueries({ queryKey: keys.syncs }),
      ]),
  });
};
