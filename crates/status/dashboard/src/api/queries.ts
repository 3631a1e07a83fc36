// The queries and mutations of the operator API, named after its operations. Pages fetch only through these.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { isOpen } from "../format/states";
import { type ApiResponse, client, unwrap } from "./client";
import { Problem } from "./problem";
import type {
  DeadLetterState,
  MissingPolicy,
  operations,
  RecordType,
  ReplayAccepted,
  ReplayItemState,
  ReplayRequest,
  ReprocessAccepted,
  ReprocessRequest,
  Resolution,
  ResolvedMany,
  ResolveRequest,
  ScheduleDefinition,
  SettingsChange,
  Severity,
  TriggerRequest,
} from "./types";

export interface PageParams {
  limit: number;
  offset: number;
}

type Query<Operation extends keyof operations> = NonNullable<operations[Operation]["parameters"]["query"]>;
/** The filters of a list, as in the URL of its page; a field that is absent or undefined does not filter. */
type Filter<T> = {
  [Field in keyof Omit<T, "limit" | "offset">]?: OneOf<Exclude<T[Field], undefined>> | undefined;
};
/** A parameter that may be given several times takes one value from a page. */
type OneOf<V> = V extends readonly (infer Word)[] ? Word : V;
export type SyncFilter = Filter<Query<"listSyncs">>;
export type WebhookFilter = Filter<Query<"listWebhooks">>;
export type RefusalFilter = Filter<Query<"listRefusedWebhooks">>;
export type ConflictFilter = Filter<Query<"listConflicts">>;
export type AuditFilter = Filter<Query<"listAudit">>;
export type RecordFilter = Filter<Query<"listRecords">>;
export type ChangeFilter = Filter<Query<"listChanges">>;
export type FindingFilter = Pick<Filter<Query<"getValidationReport">>, "severity" | "recordType">;
export type TickFilter = Filter<Query<"listTicks">>;
export type AnalyticsFilter = Filter<Query<"getAnalytics">>;

/** The filter for a request. Undefined fields are left out of its address. */
const queryOf = <P extends object, T extends object>(page: P, filter: T) =>
  ({ ...page, ...filter }) as P & { [Field in keyof T]?: Exclude<T[Field], undefined> };

/** Words for parameters that may be given several times. */
const wordsOf = <T extends object>(words: T) =>
  Object.fromEntries(
    Object.entries(words).flatMap(([name, word]) => (word === undefined ? [] : [[name, [word]]])),
  ) as { [Field in keyof T]?: Exclude<T[Field], undefined>[] };

// Mutations of list items wait until the list has been fetched again, so that it shows an operator's own action at once.
// They take their `onSuccess` as an option: callbacks of `mutate` are lost when the item's button is gone by then.

/** Query keys. Live updates invalidate by them. */
export const keys = {
  overview: ["overview"] as const,
  syncs: ["syncs"] as const,
  histories: ["syncs", "history"] as const,
  history: (page: PageParams, filter: SyncFilter) => ["syncs", "history", page, filter] as const,
  sync: (syncId: string) => ["syncs", "one", syncId] as const,
  findings: (syncId: string, page: PageParams, filter: FindingFilter) =>
    ["syncs", "one", syncId, "findings", page, filter] as const,
  changes: (syncId: string, page: PageParams, filter: ChangeFilter) =>
    ["syncs", "one", syncId, "changes", page, filter] as const,
  undo: (syncId: string, page: PageParams) => ["syncs", "one", syncId, "undo", page] as const,
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
  replayItems: (jobId: string, page: PageParams, outcome?: ReplayItemState) =>
    ["dead-letters", "job", jobId, "items", page, outcome] as const,
  conflicts: ["conflicts"] as const,
  conflictList: (page: PageParams, filter: ConflictFilter) => ["conflicts", "list", page, filter] as const,
  conflict: (id: string) => ["conflicts", "one", id] as const,
  webhooks: ["webhooks"] as const,
  webhookList: (page: PageParams, filter: WebhookFilter) => ["webhooks", "list", page, filter] as const,
  refusedWebhooks: (page: PageParams, filter: RefusalFilter) =>
    ["webhooks", "refused", page, filter] as const,
  webhook: (id: string) => ["webhooks", "one", id] as const,
  webhookBody: (id: string) => ["webhooks", "one", id, "body"] as const,
  reprocessPlan: (request: ReprocessRequest) => ["webhooks", "plan", request] as const,
  users: ["users"] as const,
  roleMapping: ["role-mapping"] as const,
  doctor: ["doctor"] as const,
  audit: (page: PageParams, filter: AuditFilter) => ["audit", page, filter] as const,
  settings: ["settings"] as const,
  schedules: ["schedules"] as const,
  ticks: (page: PageParams, filter: TickFilter) => ["schedules", "ticks", page, filter] as const,
  analytics: (filter: AnalyticsFilter) => ["analytics", filter] as const,
  search: (text: string) => ["search", text] as const,
  records: ["records"] as const,
  recordList: (type: RecordType, page: PageParams, filter: RecordFilter) =>
    ["records", "list", type, page, filter] as const,
  record: (type: RecordType, sourceId: string) => ["records", "one", type, sourceId] as const,
  timeline: (type: RecordType, sourceId: string, page: PageParams) =>
    ["records", "one", type, sourceId, "timeline", page] as const,
};

export const getOverview = () =>
  queryOptions({
    queryKey: keys.overview,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/status", { signal })),
    // For values that no live update carries: health and the next scheduled sync.
    refetchInterval: 30_000,
  });

export const getAnalytics = (filter: AnalyticsFilter) =>
  queryOptions({
    queryKey: keys.analytics(filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/analytics", { params: { query: queryOf({}, filter) }, signal })),
    placeholderData: keepPreviousData,
    // Figures come with no update. The service counts them every half minute.
    refetchInterval: 30_000,
  });

export const listSyncs = (page: PageParams, filter: SyncFilter = {}) =>
  queryOptions({
    queryKey: keys.history(page, filter),
    queryFn: ({ signal }) => {
      const { state, cause, mode, ...rest } = filter;
      const query = { ...queryOf(page, rest), ...wordsOf({ state, cause, mode }) };
      return unwrap(client.GET("/api/sync/history", { params: { query }, signal }));
    },
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

/** The findings of a sync, with filters that its own list does not have. */
export const listFindings = (syncId: string, page: PageParams, filter: FindingFilter) =>
  queryOptions({
    queryKey: keys.findings(syncId, page, filter),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/validation/reports", {
          params: { query: { ...queryOf(page, filter), syncId } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
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
          params: { query: { ...page, ...wordsOf({ state }) } },
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
      unwrap(
        client.GET("/api/sync/dead-letters/groups", {
          params: { query: { ...page, ...wordsOf({ state }) } },
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

export const getRoleMapping = () =>
  queryOptions({
    queryKey: keys.roleMapping,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/role-mapping", { signal })),
  });

export const listAudit = (page: PageParams, filter: AuditFilter) =>
  queryOptions({
    queryKey: keys.audit(page, filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/audit", { params: { query: queryOf(page, filter) }, signal })),
    placeholderData: keepPreviousData,
  });

/** The last line of an export that is whole. */
const EXPORT_END = '{"complete":true}';

/** The audit log as a file of JSON lines. An export that ends early is an error. */
export const useExportAudit = () =>
  useMutation({
    mutationFn: async (filter: AuditFilter) => {
      const request = client.GET("/api/sync/audit/export", {
        params: { query: queryOf({}, filter) },
        parseAs: "blob",
      });
      const file = (await unwrap(request as Promise<ApiResponse<unknown>>)) as Blob;
      const end = await file.slice(-2 * EXPORT_END.length).text();
      if (end.trimEnd().endsWith(EXPORT_END)) return file;
      throw new Problem({
        status: 0,
        title: "The export is incomplete",
        detail: "The connection ended before the last entry. Export again, or narrow the filters.",
        code: "export_incomplete",
      });
    },
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

export const getSettings = () =>
  queryOptions({
    queryKey: keys.settings,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/settings", { signal })),
  });

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

export const listRecords = (recordType: RecordType, page: PageParams, filter: RecordFilter) =>
  queryOptions({
    queryKey: keys.recordList(recordType, page, filter),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/records/{recordType}", {
          params: { path: { recordType }, query: queryOf(page, filter) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const getRecord = (recordType: RecordType, sourceId: string) =>
  queryOptions({
    queryKey: keys.record(recordType, sourceId),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/records/{recordType}/{sourceId}", {
          params: { path: { recordType, sourceId } },
          signal,
        }),
      ),
  });

export const getTimeline = (recordType: RecordType, sourceId: string, page: PageParams) =>
  queryOptions({
    queryKey: keys.timeline(recordType, sourceId, page),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/records/{recordType}/{sourceId}/timeline", {
          params: { path: { recordType, sourceId }, query: page },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** A record that is missing, by its id in the onboarding portal. */
export interface MissingRecord {
  recordType: RecordType;
  sourceId: string;
}

export const diagnose = (missing: MissingRecord | undefined) =>
  queryOptions({
    queryKey: [...keys.doctor, missing ?? "system"],
    queryFn: ({ signal }) => unwrap(client.GET("/api/doctor", { params: { query: { ...missing } }, signal })),
    // A diagnosis is of the moment in which it is asked for.
    staleTime: 0,
  });

/** Entries that one request of a list may have. */
const LIST_LIMIT = 200;

/** The vessels of the fleet, at most 200, and the rejected ones, at most 200 more. */
export const listVessels = (status?: "rejected") =>
  listRecords("vessel", { limit: LIST_LIMIT, offset: 0 }, { status });

/** Findings about vessels themselves, at most 200, errors first. */
export const listVesselFindings = () =>
  queryOptions({
    queryKey: [...keys.dataQuality, "vessels"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/validation/reports", {
          params: { query: { limit: LIST_LIMIT, offset: 0, recordType: "vessel" } },
          signal,
        }),
      ),
  });

/** Open conflicts about vessels themselves, at most 200. */
export const listVesselConflicts = () =>
  listConflicts({ limit: LIST_LIMIT, offset: 0 }, { state: "open", recordType: "vessel" });

/** Findings about a vessel, its equipment and its users as they are now. */
export const getVesselReport = (vessel: string, page: PageParams) =>
  queryOptions({
    queryKey: [...keys.dataQuality, "vessel", vessel, page],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/validation/reports", { params: { query: { ...page, vessel } }, signal })),
    placeholderData: keepPreviousData,
  });

/** Shortest text that the service searches for. */
export const SEARCH_MIN_LENGTH = 2;

export const searchAll = (text: string) =>
  queryOptions({
    queryKey: keys.search(text),
    queryFn: ({ signal }) => unwrap(client.GET("/api/search", { params: { query: { q: text } }, signal })),
    enabled: text.length >= SEARCH_MIN_LENGTH,
    placeholderData: keepPreviousData,
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
    mutationFn: (body: TriggerRequest) => unwrap(client.POST("/api/sync/trigger", { body })),
    // The page of the new sync opens meanwhile.
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.overview });
      cache.invalidateQueries({ queryKey: keys.histories });
    },
  });
};

export const useUndoSync = (syncId: string) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.POST("/api/sync/status/{syncId}/undo", { params: { path: { syncId } } })),
    onSettled: () =>
      Promise.all(
        [keys.syncs, keys.overview, keys.records, keys.dataQuality].map((queryKey) =>
          cache.invalidateQueries({ queryKey }),
        ),
      ),
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
