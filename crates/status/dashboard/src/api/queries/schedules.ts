// Schedules and what came of their ticks.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { ScheduleDefinition } from "../types";
import { keys } from "./keys";
import { type Filter, type PageParams, type Query, queryOf } from "./paging";

export type TickFilter = Filter<Query<"listTicks">>;

export const listSchedules = () =>
  queryOptions({
    queryKey: keys.schedules,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/schedules", { signal })),
    // Ticks come with no update.
    refetchInterval: 30_000,
  });

export const listTicks = (page: PageParams, filter: TickFilter) =>
  queryOptions({
    queryKey: keys.ticks(page, filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/schedule/ticks", { params: { query: queryOf(page, filter) }, signal })),
    placeholderData: keepPreviousData,
  });

/** A command to one schedule. Afterwards all that shows schedules is fetched again. */
function useScheduleCommand<Result, Input = void>(
  mutationFn: (input: Input) => Promise<Result>,
  onSuccess?: () => void,
) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => onSuccess?.(),
    onSettled: () =>
      Promise.all(
        [keys.schedules, keys.settings, keys.overview].map((queryKey) =>
          cache.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

/** Adds a schedule, or replaces the `version` that was edited. */
export const usePutSchedule = () =>
  useScheduleCommand(
    ({
      name,
      version,
      definition,
    }: {
      name: string;
      version: number | undefined;
      definition: ScheduleDefinition;
    }) =>
      unwrap(
        client.PUT("/api/sync/schedules/{name}", {
          params: { path: { name }, header: version === undefined ? {} : { "If-Match": `"${version}"` } },
          body: definition,
        }),
      ),
  );

/** `onDeleted` is an option, for the update about it may take the page's schedule away before the answer comes. */
export const useDeleteSchedule = (name: string, onDeleted: () => void) =>
  useScheduleCommand(
    (version: number) =>
      unwrap(
        client.DELETE("/api/sync/schedules/{name}", {
          params: { path: { name }, header: { "If-Match": `"${version}"` } },
        }),
      ),
    onDeleted,
  );

export const usePauseSchedule = (name: string) =>
  useScheduleCommand((body: { reason: string; until?: string }) =>
    unwrap(client.POST("/api/sync/schedules/{name}/pause", { params: { path: { name } }, body })),
  );

export const useResumeSchedule = (name: string) =>
  useScheduleCommand(() =>
    unwrap(client.POST("/api/sync/schedules/{name}/resume", { params: { path: { name } } })),
  );

export const previewSchedule = (cron: string, timeZone: string) =>
  queryOptions({
    queryKey: ["schedule-preview", cron, timeZone],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/schedule/preview", { params: { query: { cron, timeZone } }, signal })),
    staleTime: 30_000,
    retry: false,
  });
