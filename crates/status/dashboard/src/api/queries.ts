// The queries and mutations of the operator API, named after its operations. Pages fetch only through these.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { isOpen } from "../format/states";
import { client, unwrap } from "./client";
import { Problem } from "./problem";
import type {
  ConflictState,
  DeadLetterState,
  MissingPolicy,
  ReplayRequest,
  Resolution,
  SettingsChange,
  Severity,
  SyncState,
} from "./types";

export interface PageParams {
  limit: number;
  offset: number;
}

/** Query keys. Live updates invalidate by them. */
export const keys = {
  overview: ["overview"] as const,
  syncs: ["syncs"] as const,
  histories: ["syncs", "history"] as const,
  history: (page: PageParams, state: SyncState | undefined) =>
    ["syncs", "history", page, state ?? "any"] as const,
  sync: (syncId: string) => ["syncs", "one", syncId] as const,
  findings: (syncId: string, page: PageParams) => ["syncs", "one", syncId, "findings", page] as const,
  olderRecords: (syncId: string) => ["syncs", "one", syncId, "older-records"] as const,
  /** Findings about records as they are now, whichever sync found them. */
  dataQuality: ["data-quality"] as const,
  deadLetters: ["dead-letters"] as const,
  deadLetterList: (page: PageParams, state: DeadLetterState | undefined) =>
    ["dead-letters", "list", page, state ?? "any"] as const,
  deadLetter: (id: string) => ["dead-letters", "one", id] as const,
  deadLetterGroups: (page: PageParams, state: DeadLetterState) =>
    ["dead-letters", "groups", page, state] as const,
  replayPlan: (request: ReplayRequest) => ["dead-letters", "plan", request] as const,
  replayJobs: (page: PageParams) => ["dead-letters", "jobs", page] as const,
  replayJob: (jobId: string) => ["dead-letters", "job", jobId] as const,
  replayItems: (jobId: string, page: PageParams) => ["dead-letters", "job", jobId, "items", page] as const,
  conflicts: ["conflicts"] as const,
  conflictList: (page: PageParams, state: ConflictState) => ["conflicts", "list", page, state] as const,
  conflict: (id: string) => ["conflicts", "one", id] as const,
  webhooks: ["webhooks"] as const,
  settings: ["settings"] as const,
};

export const getOverview = () =>
  queryOptions({
    queryKey: keys.overview,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/status", { signal })),
    // For values that no live update carries: health and the next scheduled sync.
    refetchInterval: 30_000,
  });

export const listSyncs = (page: PageParams, state: SyncState | undefined) =>
  queryOptions({
    queryKey: keys.history(page, state),
    queryFn: ({ signal }) =>
      unwrap(
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
      unwrap(client.GET("/api/sync/status/{syncId}", { params: { path: { syncId } }, signal })),
    // Retries and their attempts come with no update.
    refetchInterval: ({ state }) => (state.data && isOpen(state.data.state) ? 10_000 : false),
  });

export const listFindings = (syncId: string, page: PageParams) =>
  queryOptions({
    queryKey: keys.findings(syncId, page),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/syncs/{syncId}/findings", {
          params: { path: { syncId }, query: page },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const getOlderRecords = (syncId: string) =>
  queryOptions({
    queryKey: keys.olderRecords(syncId),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/syncs/{syncId}/accept-older", { params: { path: { syncId } }, signal })),
  });

/** The page of the report that the overview and the navigation share: all counts, and the first findings by name. */
export const FIRST_FINDINGS: PageParams = { limit: 10, offset: 0 };

export const getValidationReport = (page: PageParams, severity: Severity | undefined) =>
  queryOptions({
    queryKey: [...keys.dataQuality, page, severity ?? "any"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/validation/reports", {
          params: { query: { ...page, ...(severity ? { severity } : {}) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const listDeadLetters = (page: PageParams, state: DeadLetterState | undefined) =>
  queryOptions({
    queryKey: keys.deadLetterList(page, state),
    queryFn: ({ signal }) =>
      unwrap(
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
      unwrap(client.GET("/api/sync/dead-letters/{id}", { params: { path: { id } }, signal })),
  });

export const listDeadLetterGroups = (page: PageParams, state: DeadLetterState) =>
  queryOptions({
    queryKey: keys.deadLetterGroups(page, state),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/dead-letters/groups", { params: { query: { ...page, state } }, signal })),
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

export const listReplayItems = (jobId: string, page: PageParams) =>
  queryOptions({
    queryKey: keys.replayItems(jobId, page),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/bulk/replay/{jobId}/items", {
          params: { path: { jobId }, query: page },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const listConflicts = (page: PageParams, state: ConflictState) =>
  queryOptions({
    queryKey: keys.conflictList(page, state),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/conflicts", { params: { query: { ...page, state } }, signal })),
    placeholderData: keepPreviousData,
  });

export const getConflict = (id: string) =>
  queryOptions({
    queryKey: keys.conflict(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/conflicts/{id}", { params: { path: { id } }, signal })),
  });

export const getSettings = () =>
  queryOptions({
    queryKey: keys.settings,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/settings", { signal })),
  });

export const previewSchedule = (cron: string, timeZone: string) =>
  queryOptions({
    queryKey: ["schedule-preview", cron, timeZone],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/schedule/preview", { params: { query: { cron, timeZone } }, signal })),
    staleTime: 30_000,
    retry: false,
  });

export const getIdentity = (token: string) =>
  unwrap(client.GET("/api/sync/me", { headers: { Authorization: `Bearer ${token}` } }));

export const useTriggerSync = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) =>
      unwrap(client.POST("/api/sync/trigger", { body: { mode: "full", ...(reason ? { reason } : {}) } })),
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.overview });
      cache.invalidateQueries({ queryKey: keys.histories });
    },
  });
};

export const useCancelSync = (syncId: string) =>
  useSyncCommand(() =>
    unwrap(client.POST("/api/sync/syncs/{syncId}/cancel", { params: { path: { syncId } } })),
  );

export const useResumeSync = (syncId: string) =>
  useSyncCommand(() =>
    unwrap(client.POST("/api/sync/syncs/{syncId}/resume", { params: { path: { syncId } } })),
  );

export const useRetrySync = (syncId: string) =>
  useSyncCommand(() =>
    unwrap(client.POST("/api/sync/syncs/{syncId}/retry", { params: { path: { syncId } } })),
  );

export const useConfirmSync = (syncId: string) =>
  useSyncCommand((decision: MissingPolicy) =>
    unwrap(
      client.POST("/api/sync/syncs/{syncId}/confirm", {
        params: { path: { syncId } },
        body: { decision },
      }),
    ),
  );

export const useAcceptOlderRecords = (syncId: string) =>
  useSyncCommand((expectedRecords: number) =>
    unwrap(
      client.POST("/api/sync/syncs/{syncId}/accept-older", {
        params: { path: { syncId } },
        body: { expectedRecords },
      }),
    ),
  );

/** A command to one sync. Afterwards the sync, the lists of syncs and the overview are fetched again. */
function useSyncCommand<Result, Input = void>(mutationFn: (input: Input) => Promise<Result>) {
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
      unwrap(
        client.POST("/api/sync/settings", {
          body: change,
          params: { header: { "If-Match": `"${version}"` } },
        }),
      ),
    onSuccess: (settings) => {
      cache.setQueryData(keys.settings, settings);
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

export const useReplayDeadLetters = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (target: ReplayRequest | string) =>
      typeof target === "string"
        ? unwrap(client.POST("/api/sync/dead-letters/{id}/replay", { params: { path: { id: target } } }))
        : unwrap(client.POST("/api/sync/bulk/replay", { body: target })),
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.deadLetters });
      cache.invalidateQueries({ queryKey: keys.overview });
    },
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

export const useResolveConflict = (id: string) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (resolution: Exclude<Resolution, "fields">) =>
      unwrap(
        client.POST("/api/sync/conflicts/{id}/resolve", { params: { path: { id } }, body: { resolution } }),
      ),
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.conflicts });
      cache.invalidateQueries({ queryKey: keys.overview });
    },
  });
};
