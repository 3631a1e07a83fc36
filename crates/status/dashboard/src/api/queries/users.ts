// Users of the maintenance portal and their temporary passwords.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { keys } from "./keys";
import type { PageParams } from "./paging";

export const listUsers = (page: PageParams, search: string | undefined) =>
  queryOptions({
    queryKey: [...keys.users, page, search ?? ""],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/users", {
          params: { query: { ...page, ...(search ? { search } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** Shown once and kept nowhere: neither in the cache nor after the dialog is closed. */
export const useClaimPassword = (userId: string) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () =>
      unwrap(client.POST("/api/sync/users/{userId}/temporary-password", { params: { path: { userId } } })),
    gcTime: 0,
    // The password is shown at once, whatever becomes of the list.
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.users });
    },
  });
};

export const useReissuePassword = (userId: string) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () =>
      unwrap(
        client.POST("/api/sync/users/{userId}/temporary-password/reissue", { params: { path: { userId } } }),
      ),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.users }),
  });
};
