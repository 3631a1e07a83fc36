import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { Problem } from "../problem";
import type { RoleRule } from "../types";
import { keys } from "./keys";

export const getRoleMapping = () =>
  queryOptions({
    queryKey: keys.roleMapping,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/role-mapping", { signal })),
  });

/** Who would get another role by these rules. Changes nothing. */
export const usePreviewRoleMapping = () =>
  useMutation({
    mutationFn: (rules: RoleRule[]) =>
      unwrap(client.POST("/api/sync/role-mapping/preview", { body: { rules } })),
  });

/** Replaces the rules of the `version` that was edited. */
export const useChangeRoleMapping = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ version, rules }: { version: number; rules: RoleRule[] }) =>
      unwrap(
        client.PUT("/api/sync/role-mapping", {
          params: { header: { "If-Match": `"${version}"` } },
          body: { rules },
        }),
      ),
    onSuccess: () =>
      Promise.all([keys.roleMapping, keys.users].map((queryKey) => cache.invalidateQueries({ queryKey }))),
    // Another operator saved first: the page shows the new rules before the next attempt.
    onError: (thrown) => {
      if (thrown instanceof Problem && thrown.status === 412) {
        cache.invalidateQueries({ queryKey: keys.roleMapping });
      }
    },
  });
};
