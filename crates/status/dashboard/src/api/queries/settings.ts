// Settings and their history, and the test of the connection to the onboarding portal.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { Problem } from "../problem";
import type { SettingsChange } from "../types";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, wordsOf } from "./paging";

export const getSettings = () =>
  queryOptions({
    queryKey: keys.settings,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/settings", { signal })),
  });

export type ConfigurationFilter = Pick<Filter<Query<"listConfigurationChanges">>, "part">;

/** Changes of settings, schedules, conflict policies and the role mapping. */
export const listConfigurationChanges = (page: PageParams, { part }: ConfigurationFilter) =>
  queryOptions({
    queryKey: keys.configurationChanges(page, { part }),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/settings/history", {
          params: { query: { ...page, ...wordsOf({ part }) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const useChangeSettings = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ version, change }: { version: number; change: SettingsChange }) =>
      unwrap(
        client.POST("/api/sync/settings", {
          body: change,
          params: { header: { "If-Match": `"${version}"` } },
        }),
      ),
    onSuccess: (settings) => {
      cache.setQueryData(keys.settings, settings);
      cache.invalidateQueries({ queryKey: keys.settingsHistory });
      cache.invalidateQueries({ queryKey: keys.overview });
    },
    // Another operator saved first: the form shows the new settings before the next attempt.
    onError: (thrown) => {
      if (thrown instanceof Problem && thrown.status === 412) {
        cache.invalidateQueries({ queryKey: keys.settings });
      }
    },
  });
};

export const useTestConnection = () =>
  useMutation({ mutationFn: () => unwrap(client.GET("/api/sync/test-connection")) });
