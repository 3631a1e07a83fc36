// The folder has the queries and mutations of the operator API, a file for each subject, named after the API's operations. Pages
// fetch only through them.
//
// Mutations of list items wait until the list has been fetched again, so that it shows an operator's own action at once. They
// take their `onSuccess` as an option: callbacks of `mutate` are lost when the item's button is gone by then.
import type { RecordType, ReplayItemState, ReplayRequest, ReprocessRequest } from "../types";
import type { AnalyticsFilter } from "./analytics";
import type { AuditFilter } from "./audit";
import type { ConflictFilter } from "./conflicts";
import type { DeadLetterFilter } from "./dead-letters";
import type { FindingFilter } from "./findings";
import type { PageParams } from "./paging";
import type { PartFilter, RecordFilter } from "./records";
import type { TickFilter } from "./schedules";
import type { ConfigurationFilter } from "./settings";
import type { ChangeFilter, SyncFilter } from "./syncs";
import type { RefusalFilter, WebhookFilter } from "./webhooks";

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
  deadLetterList: (page: PageParams, filter: DeadLetterFilter) =>
    ["dead-letters", "list", page, filter] as const,
  deadLetter: (id: string) => ["dead-letters", "one", id] as const,
  deadLetterGroups: (page: PageParams, filter: DeadLetterFilter) =>
    ["dead-letters", "groups", page, filter] as const,
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
  settingsHistory: ["settings", "history"] as const,
  configurationChanges: (page: PageParams, filter: ConfigurationFilter) =>
    ["settings", "history", page, filter] as const,
  schedules: ["schedules"] as const,
  ticks: (page: PageParams, filter: TickFilter) => ["schedules", "ticks", page, filter] as const,
  serviceVersion: ["version", "service"] as const,
  servedBuild: ["version", "build"] as const,
  analytics: (filter: AnalyticsFilter) => ["analytics", filter] as const,
  search: (text: string) => ["search", text] as const,
  records: ["records"] as const,
  recordList: (type: RecordType, page: PageParams, filter: RecordFilter) =>
    ["records", "list", type, page, filter] as const,
  record: (type: RecordType, sourceId: string) => ["records", "one", type, sourceId] as const,
  timeline: (type: RecordType, sourceId: string, page: PageParams) =>
    ["records", "one", type, sourceId, "timeline", page] as const,
  parts: (page: PageParams, filter: PartFilter) => ["records", "parts", page, filter] as const,
};
