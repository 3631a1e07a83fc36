// Every question that pages ask, named after its operation. Pages fetch by these and by nothing else.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, take } from "./client";
import { Problem } from "./problem";
import type {
  DeadLetterState,
  MissingPolicy,
  ReplayRequest,
  SettingsChange,
  Severity,
  SyncState,
} from "./types";

export interface PageOf {
  limit: number;
  offset: number;
}

/** Keys of the cache; live updates aim at them. */
export const keys = {
  overview: ["overview"] as const,
  syncs: ["syncs"] as const,
  histories: ["syncs", "history"] as const,
  history: (page: PageOf, state: SyncState | undefined) =>
    ["syncs", "history", page, state ?? "any"] as const,
  sync: (syncId: string) => ["syncs", "one", syncId] as const,
  findings: (syncId: string, page: PageOf) => ["syncs", "one", syncId, "findings", page] as const,
  /** What stands about records now, however old the run that found it is. */
  standing: ["standing"] as const,
  deadLetters: ["dead-letters"] as const,
  deadLetterList: (page: PageOf, state: DeadLetterState | undefined) =>
    ["dead-letters", "list", page, state ?? "any"] as const,
  deadLetter: (id: string) => ["dead-letters", "one", id] as const,
  settings: ["settings"] as const,
};

export const getOverview = () =>
  queryOptions({
    queryKey: keys.overview,
    queryFn: ({ signal }) => take(client.GET("/api/sync/status", { signal })),
    // Live updates carry the news; this is for figures that have none (health, next tick).
    refetchInterval: 30_000,
  });

export const listSyncs = (page: PageOf, state: SyncState | undefined) =>
  queryOptions({
    queryKey: keys.history(page, state),
    queryFn: ({ signal }) =>
      take(
        client.GET("/api/sync/history", {
          params: { query: { ...page, ...(state ? { state } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const getSync = (syncId: string) =>
  queryOptions({
    queryKey: keys.sync(syncId),
    queryFn: ({ signal }) =>
      take(client.GET("/api/sync/status/{syncId}", { params: { path: { syncId } }, signal })),
  });

export const listFindings = (syncId: string, page: PageOf) =>
  queryOptions({
    queryKey: keys.findings(syncId, page),
    queryFn: ({ signal }) =>
      take(
        client.GET("/api/sync/syncs/{syncId}/findings", {
          params: { path: { syncId }, query: page },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** The page of the report that the overview and the navigation share: enough to name some, and the counts of all. */
export const STANDING: PageOf = { limit: 10, offset: 0 };

export const getValidationReport = (page: PageOf, severity: Severity | undefined) =>
  queryOptions({
    queryKey: [...keys.standing, page, severity ?? "any"],
    queryFn: ({ signal }) =>
      take(
        client.GET("/api/sync/validation/reports", {
          params: { query: { ...page, ...(severity ? { severity } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const listDeadLetters = (page: PageOf, state: DeadLetterState | undefined) =>
  queryOptions({
    queryKey: keys.deadLetterList(page, state),
    queryFn: ({ signal }) =>
      take(
        client.GET("/api/sync/dead-letters", {
          params: { query: { ...page, ...(state ? { state } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const getDeadLetter = (id: string) =>
  queryOptions({
    queryKey: keys.deadLetter(id),
    queryFn: ({ signal }) =>
      take(client.GET("/api/sync/dead-letters/{id}", { params: { path: { id } }, signal })),
  });

export const getSettings = () =>
  queryOptions({
    queryKey: keys.settings,
    queryFn: ({ signal }) => take(client.GET("/api/sync/settings", { signal })),
  });

export const previewSchedule = (cron: string, timeZone: string) =>
  queryOptions({
    queryKey: ["schedule-preview", cron, timeZone],
    queryFn: ({ signal }) =>
      take(client.GET("/api/sync/schedule/preview", { params: { query: { cron, timeZone } }, signal })),
    staleTime: 30_000,
    retry: false,
  });

export const me = (token: string) =>
  take(client.GET("/api/sync/me", { headers: { Authorization: `Bearer ${token}` } }));

export const useTriggerSync = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) =>
      take(client.POST("/api/sync/trigger", { body: { mode: "full", ...(reason ? { reason } : {}) } })),
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.overview });
      cache.invalidateQueries({ queryKey: keys.histories });
    },
  });
};

export const useCancelSync = (syncId: string) =>
  useOrder(() => take(client.POST("/api/sync/syncs/{syncId}/cancel", { params: { path: { syncId } } })));

export const useResumeSync = (syncId: string) =>
  useOrder(() => take(client.POST("/api/sync/syncs/{syncId}/resume", { params: { path: { syncId } } })));

export const useRetrySync = (syncId: string) =>
  useOrder(() => take(client.POST("/api/sync/syncs/{syncId}/retry", { params: { path: { syncId } } })));

export const useConfirmSync = (syncId: string) =>
  useOrder((decision: MissingPolicy) =>
    take(
      client.POST("/api/sync/syncs/{syncId}/confirm", {
        params: { path: { syncId } },
        body: { decision },
      }),
    ),
  );

/** What is ordered of one sync changes it, the lists it stands in, and the whole. */
function useOrder<Answer, Order = void>(mutationFn: (order: Order) => Promise<Answer>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.syncs });
      cache.invalidateQueries({ queryKey: keys.overview });
    },
  });
}

export const useChangeSettings = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ version, change }: { version: number; change: SettingsChange }) =>
      take(
        client.POST("/api/sync/settings", {
          body: change,
          params: { header: { "If-Match": `"${version}"` } },
        }),
      ),
    onSuccess: (settings) => {
      cache.setQueryData(keys.settings, settings);
      cache.invalidateQueries({ queryKey: keys.overview });
    },
    // Changed meanwhile: what stands now is fetched, so that the next attempt is made with open eyes.
    onError: (thrown) => {
      if (thrown instanceof Problem && thrown.status === 412) {
        cache.invalidateQueries({ queryKey: keys.settings });
      }
    },
  });
};

export const useTestConnection = () =>
  useMutation({ mutationFn: () => take(client.GET("/api/sync/test-connection")) });

export const useReplay = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (which: ReplayRequest | string) =>
      typeof which === "string"
        ? take(client.POST("/api/sync/dead-letters/{id}/replay", { params: { path: { id: which } } }))
        : take(client.POST("/api/sync/bulk/replay", { body: which })),
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.deadLetters });
      cache.invalidateQueries({ queryKey: keys.overview });
    },
  });
};
