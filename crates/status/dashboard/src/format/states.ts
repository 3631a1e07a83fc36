// The tone, icon and word of every state of the API. No other file decides on a colour.
import type {
  AuditAction,
  Cause,
  ChangeOutcome,
  ConfigurationPart,
  Conflict,
  ConflictState,
  DeadLetterState,
  HitKind,
  Mode,
  Permission,
  PortalRole,
  RecordStanding,
  RecordStatus,
  RecordType,
  Severity,
  SyncState,
  TickOutcome,
  TimelineKind,
  UndoneRecord,
  User,
  WebhookRefusal,
  WebhookState,
  Workplace,
} from "../api/types";
import { capitalize } from "./capitalize";

export type Tone = "neutral" | "info" | "good" | "warn" | "bad";
export type IconName =
  | "clock"
  | "running"
  | "retry"
  | "check"
  | "warning"
  | "cross"
  | "stop"
  | "plus"
  | "pencil"
  | "equal"
  | "split"
  | "skip"
  | "pause"
  | "skull";

export interface StateLabel {
  tone: Tone;
  icon: IconName;
  word: string;
}

export const SYNC_STATES: Record<SyncState, StateLabel> = {
  queued: { tone: "neutral", icon: "clock", word: "Queued" },
  running: { tone: "info", icon: "running", word: "Running" },
  retrying: { tone: "info", icon: "retry", word: "Retrying" },
  completed: { tone: "good", icon: "check", word: "Completed" },
  completed_with_errors: { tone: "warn", icon: "warning", word: "Completed with errors" },
  failed: { tone: "bad", icon: "cross", word: "Failed" },
  cancelled: { tone: "neutral", icon: "stop", word: "Cancelled" },
};

export const DEAD_LETTER_STATES: Record<DeadLetterState, StateLabel> = {
  dead: { tone: "bad", icon: "skull", word: "Dead" },
  replaying: { tone: "info", icon: "running", word: "Replaying" },
  replayed: { tone: "info", icon: "retry", word: "Replayed" },
  succeeded: { tone: "good", icon: "check", word: "Succeeded" },
};

export const REPLAY_STATES: Record<string, StateLabel> = {
  running: { tone: "info", icon: "running", word: "Running" },
  completed: { tone: "good", icon: "check", word: "Completed" },
  cancelled: { tone: "neutral", icon: "stop", word: "Cancelled" },
};

export const REPLAY_ITEM_STATES: Record<string, StateLabel> = {
  waiting: { tone: "neutral", icon: "clock", word: "Waiting" },
  sent: { tone: "info", icon: "running", word: "In progress" },
  succeeded: { tone: "good", icon: "check", word: "Succeeded" },
  died: { tone: "bad", icon: "skull", word: "Failed again" },
  cancelled: { tone: "neutral", icon: "stop", word: "Cancelled" },
};

export const WEBHOOK_STATES: Record<WebhookState, StateLabel> = {
  received: { tone: "neutral", icon: "clock", word: "Received" },
  published: { tone: "info", icon: "running", word: "In progress" },
  processed: { tone: "good", icon: "check", word: "Processed" },
  failed: { tone: "bad", icon: "cross", word: "Failed" },
  ignored: { tone: "neutral", icon: "skip", word: "Ignored" },
};

const REFUSALS: Record<WebhookRefusal, string> = {
  unsupported_method: "Wrong method",
  unsupported_content_type: "Wrong content type",
  payload_too_large: "Body too large",
  unreadable_body: "Unreadable body",
  missing_signature: "No signature",
  malformed_id: "Malformed ID",
  malformed_timestamp: "Malformed timestamp",
  timestamp_out_of_tolerance: "Timestamp too old or too new",
  no_usable_signature: "Unknown signature scheme",
  verification_failed: "Wrong signature",
  id_reused: "ID used with another body",
  unparsable_json: "No JSON",
  schema_invalid: "Invalid event",
  rate_limited: "Too many requests",
  overloaded: "Overloaded",
  not_recorded: "Not recorded",
};
export const refusalLabel = (reason: string): StateLabel => ({
  tone: "warn",
  icon: "stop",
  word: entryOf(REFUSALS, reason) ?? capitalize(ownWord(reason)),
});
export const REFUSAL_OPTIONS = Object.keys(REFUSALS) as WebhookRefusal[];

export const PASSWORD_STATES: Record<User["password"], StateLabel> = {
  none: { tone: "neutral", icon: "skip", word: "None" },
  to_claim: { tone: "info", icon: "clock", word: "To be claimed" },
  expired: { tone: "warn", icon: "warning", word: "Expired" },
  claimed: { tone: "good", icon: "check", word: "Claimed" },
};

const LOCK_REASONS: Record<string, string> = {
  deactivated: "Deactivated",
  withdrawn: "Withdrawn",
  signed_off: "Signed off",
};

/** Whether a user may sign in, and if not, why. */
export function accessLabel({ maySignIn, lockedBecause }: User): StateLabel {
  if (maySignIn) return { tone: "good", icon: "check", word: "May sign in" };
  const reason =
    lockedBecause && (entryOf(LOCK_REASONS, lockedBecause) ?? capitalize(ownWord(lockedBecause)));
  return { tone: "neutral", icon: "stop", word: reason ?? "May not sign in" };
}

/** `chief_engineer` → `Chief engineer` */
export const roleWord = (role: string): string => capitalize(ownWord(role));

const PORTAL_ROLE_SET: Record<PortalRole, true> = {
  crew_readonly: true,
  crew: true,
  officer: true,
  chief_engineer: true,
  master: true,
  auditor: true,
  purchasing: true,
  hsqe: true,
  superintendent: true,
  fleet_manager: true,
};
export const PORTAL_ROLES = Object.keys(PORTAL_ROLE_SET) as PortalRole[];

const WORKPLACE_SET: Record<Workplace, true> = { ship: true, shore: true };
export const WORKPLACES = Object.keys(WORKPLACE_SET) as Workplace[];

const PERMISSIONS: Record<Permission, string> = {
  view_vessel: "view the jobs of the own vessels",
  view_fleet: "view the whole fleet",
  report_work: "report work",
  sign_department: "sign work of the own department",
  sign_vessel: "sign everything on board",
  run_programme: "change the maintenance programme",
  order_parts: "order parts",
  run_safety: "run safety work",
  run_fleet: "run the fleet",
};

/** `report work, order parts` */
export const permissionsText = (permissions: Permission[]): string =>
  permissions.map((word) => entryOf(PERMISSIONS, word) ?? ownWord(word)).join(", ");

const AUDIT_WORDS: Record<AuditAction, string> = {
  "sync.trigger": "Started a sync",
  "sync.cancel": "Cancelled a sync",
  "sync.resume": "Resumed a sync",
  "sync.retry": "Retried failures",
  "sync.confirm": "Decided about missing records",
  "sync.accept_older": "Accepted older records",
  "sync.undo": "Undid a sync",
  "rejection.acknowledge": "Acknowledged a rejection",
  "acknowledgement.withdraw": "Took back an acknowledgement",
  "conflict.resolve": "Resolved a conflict",
  "conflict_policies.update": "Changed conflict policies",
  "settings.update": "Changed settings",
  "schedule.create": "Added a schedule",
  "schedule.update": "Changed a schedule",
  "schedule.delete": "Deleted a schedule",
  "schedule.pause": "Paused a schedule",
  "schedule.resume": "Resumed a schedule",
  "role_mapping.change": "Changed the role mapping",
  "user.reveal_password": "Claimed a temporary password",
  "user.reissue_password": "Had a new password made",
  "dead_letter.replay": "Replayed a dead letter",
  "replay.cancel": "Cancelled a replay",
  "webhook.reprocess": "Reprocessed a webhook",
  "token.revoke": "Revoked tokens",
  "api_key.create": "Made an API key",
  "api_key.rotate": "Replaced an API key",
  "api_key.revoke": "Revoked an API key",
  "access.refuse": "Was refused",
  "user.read": "Read users",
  "conflict.read": "Read a conflict",
  "dead_letter.read": "Read a dead letter",
  "webhook.read_body": "Read the body of a webhook",
};
export const AUDIT_ACTIONS = Object.keys(AUDIT_WORDS) as AuditAction[];
export const auditWord = (action: string): string =>
  entryOf(AUDIT_WORDS, action) ?? capitalize(ownWord(action));

export const CONFIGURATION_PARTS: Record<ConfigurationPart, string> = {
  settings: "Settings",
  schedules: "Schedules",
  conflict_policies: "Conflict policies",
  role_mapping: "Role mapping",
};

export const CONFLICT_STATES: Record<ConflictState, StateLabel> = {
  open: { tone: "warn", icon: "split", word: "Open" },
  resolved: { tone: "good", icon: "check", word: "Resolved" },
};

const WITHDRAWAL: StateLabel = { tone: "bad", icon: "stop", word: "Withdrawal" };
export const CONFLICT_KINDS: Record<Conflict["kind"], StateLabel> = {
  local_newer: { tone: "warn", icon: "pencil", word: "Newer here" },
  source_newer: { tone: "warn", icon: "pencil", word: "Newer in the onboarding portal" },
  criticality_downgrade: { tone: "bad", icon: "warning", word: "Criticality" },
  natural_key: { tone: "warn", icon: "equal", word: "Code in use" },
};

export const CONFLICT_KIND_OPTIONS = (Object.entries(CONFLICT_KINDS) as [Conflict["kind"], StateLabel][]).map(
  ([value, { word }]) => ({ value, label: word }),
);

/** The kind of a conflict. That one side has withdrawn the record matters more than which side is newer. */
export const conflictKind = (conflict: Conflict): StateLabel =>
  conflict.withdrawal ? WITHDRAWAL : labelOf(CONFLICT_KINDS, conflict.kind);

export const SEVERITIES: Record<Severity, StateLabel> = {
  error: { tone: "bad", icon: "cross", word: "Rejected" },
  warning: { tone: "warn", icon: "warning", word: "Warning" },
};

export const RECORD_STANDINGS: Record<RecordStanding, StateLabel> = {
  active: { tone: "good", icon: "check", word: "Active" },
  withdrawn: { tone: "neutral", icon: "stop", word: "Withdrawn" },
  rejected: { tone: "bad", icon: "cross", word: "Rejected" },
  never_came: { tone: "neutral", icon: "clock", word: "Never came" },
};

export const RECORD_STATUSES: Record<RecordStatus, StateLabel> = {
  active: RECORD_STANDINGS.active,
  withdrawn: RECORD_STANDINGS.withdrawn,
  rejected: RECORD_STANDINGS.rejected,
};

export const TIMELINE_KINDS: Record<TimelineKind, StateLabel> = {
  webhook_received: { tone: "neutral", icon: "clock", word: "Webhook received" },
  webhook_processed: { tone: "neutral", icon: "check", word: "Webhook processed" },
  webhook_refused: { tone: "warn", icon: "stop", word: "Webhook refused" },
  dead_letter: { tone: "bad", icon: "skull", word: "Dead letter" },
  created: { tone: "neutral", icon: "plus", word: "Created" },
  updated: { tone: "neutral", icon: "pencil", word: "Updated" },
  withdrawn: { tone: "warn", icon: "stop", word: "Withdrawn" },
  returned: { tone: "neutral", icon: "retry", word: "Active again" },
  missing: { tone: "warn", icon: "warning", word: "Missing" },
  dry_run: { tone: "neutral", icon: "skip", word: "Dry run" },
  finding: { tone: "warn", icon: "warning", word: "Finding" },
  conflict_opened: { tone: "warn", icon: "split", word: "Conflict opened" },
  conflict_resolved: { tone: "neutral", icon: "check", word: "Conflict resolved" },
  undone: { tone: "neutral", icon: "retry", word: "Undone" },
  edited: { tone: "neutral", icon: "pencil", word: "Edited here" },
  password_claim: { tone: "neutral", icon: "equal", word: "Password claimed" },
  password_reissue: { tone: "neutral", icon: "equal", word: "New password" },
};

const HIT_KINDS: Record<HitKind, string> = {
  vessel: "Vessels",
  equipment: "Equipment",
  user: "Users",
  company: "Companies",
  sync: "Syncs",
  webhook: "Webhooks",
  dead_letter: "Dead letters",
  trace: "Traces",
};
export const hitKindWord = (kind: string): string => entryOf(HIT_KINDS, kind) ?? capitalize(ownWord(kind));

export const UNDO_RESULTS: Record<UndoneRecord["result"], StateLabel> = {
  restored: { tone: "good", icon: "retry", word: "Restored" },
  withdrawn: { tone: "neutral", icon: "stop", word: "Withdrawn" },
  skipped: { tone: "warn", icon: "skip", word: "Skipped" },
};

const UNDO_REASONS: Record<NonNullable<UndoneRecord["reason"]>, string> = {
  edited_since: "It was edited since then.",
  overwritten_since: "A later sync has written it.",
  already_withdrawn: "It is withdrawn already.",
  key_taken: "Its number, code or address belongs to another record by now.",
  in_use: "Active records refer to it.",
};
export const undoReasonText = (reason: string): string =>
  entryOf(UNDO_REASONS, reason) ?? capitalize(ownWord(reason));

export const TICK_OUTCOMES: Record<TickOutcome, StateLabel> = {
  started: { tone: "good", icon: "check", word: "Started a sync" },
  skipped: { tone: "neutral", icon: "skip", word: "Skipped" },
  missed: { tone: "warn", icon: "warning", word: "Missed" },
};

export const FAILURE_CLASSES: Record<string, StateLabel> = {
  transient: { tone: "info", icon: "retry", word: "Transient" },
  permanent: { tone: "bad", icon: "cross", word: "Permanent" },
  poison: { tone: "bad", icon: "skull", word: "Poison" },
};

/** Outcomes of a record, in the order of the sum. */
export const OUTCOMES = [
  { key: "created", tone: "neutral", icon: "plus", word: "Created" },
  { key: "updated", tone: "neutral", icon: "pencil", word: "Updated" },
  { key: "unchanged", tone: "neutral", icon: "equal", word: "Unchanged" },
  { key: "conflict", tone: "warn", icon: "split", word: "Conflict" },
  { key: "rejected", tone: "bad", icon: "cross", word: "Rejected" },
  { key: "skipped", tone: "neutral", icon: "skip", word: "Skipped" },
] as const satisfies readonly (StateLabel & { key: string })[];

const WRITES = {
  created: { tone: "neutral", icon: "plus", word: "Created" },
  updated: { tone: "neutral", icon: "pencil", word: "Updated" },
} satisfies Record<string, StateLabel>;

/** What a dry run would do with a record. */
export const DRY_RUN_OUTCOMES = {
  ...WRITES,
  conflict: { tone: "warn", icon: "split", word: "Conflict" },
  rejected: { tone: "bad", icon: "cross", word: "Rejected" },
} satisfies Record<string, StateLabel>;

/** What a sync did with a record. */
export const SYNC_OUTCOMES = {
  ...WRITES,
  withdrawn: { tone: "neutral", icon: "stop", word: "Withdrawn" },
  returned: { tone: "neutral", icon: "retry", word: "Active again" },
} satisfies Record<string, StateLabel>;

export const CHANGE_OUTCOMES: Record<ChangeOutcome, StateLabel> = { ...DRY_RUN_OUTCOMES, ...SYNC_OUTCOMES };

export const UNKNOWN_STATE: StateLabel = { tone: "neutral", icon: "clock", word: "Unknown" };

// A newer server may send words that this dashboard does not know. Tables of words are read only through these functions.

const entryOf = <T>(table: Record<string, T>, word: string): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined;

/** `held_back` → `held back` */
const ownWord = (word: string): string => word.replaceAll("_", " ");

/** The label of a state. A state that this dashboard does not know yet shows its own word. */
export const labelOf = (table: Record<string, StateLabel>, state: string): StateLabel =>
  entryOf(table, state) ?? { ...UNKNOWN_STATE, word: capitalize(ownWord(state)) };

const CAUSE_SENTENCES: Record<Cause, string> = {
  manual: "Started by an operator",
  scheduled: "Started by the schedule",
  webhook: "Started by a webhook",
  replay: "Started by a replay",
};

const CAUSE_WORDS: Record<Cause, string> = {
  manual: "Manual",
  scheduled: "Scheduled",
  webhook: "Webhook",
  replay: "Replay",
};

const MODES: Record<Mode, string> = {
  full: "Full",
  incremental: "Incremental",
  selective: "Selective",
};

export const causeSentence = (cause: string): string =>
  entryOf(CAUSE_SENTENCES, cause) ?? `Started by: ${ownWord(cause)}`;
export const causeWord = (cause: string): string => entryOf(CAUSE_WORDS, cause) ?? capitalize(ownWord(cause));
export const modeWord = (mode: string): string => entryOf(MODES, mode) ?? capitalize(ownWord(mode));

/** The modes as options of a filter. */
export const MODE_OPTIONS = Object.keys(MODES) as Mode[];
/** The causes as options of a filter. */
export const CAUSE_OPTIONS = Object.keys(CAUSE_WORDS) as Cause[];

const RECORD_TYPES: Record<RecordType, { one: string; many: string }> = {
  company: { one: "company", many: "Companies" },
  vessel: { one: "vessel", many: "Vessels" },
  equipment: { one: "equipment item", many: "Equipment" },
  user: { one: "user", many: "Users" },
};

export const isRecordType = (word: string): word is RecordType => Object.hasOwn(RECORD_TYPES, word);

/** The names of a record type: `vessel`, `Vessels`. */
export const recordTypeNames = (type: string): { one: string; many: string } =>
  entryOf(RECORD_TYPES, type) ?? { one: ownWord(type), many: capitalize(ownWord(type)) };

export const PHASES: { number: number; title: string; types: RecordType[] }[] = [
  { number: 1, title: "Companies and vessels", types: ["company", "vessel"] },
  { number: 2, title: "Equipment and users", types: ["equipment", "user"] },
];

/** `Equipment was not read` */
export const notReadText = (type: RecordType): string =>
  `${recordTypeNames(type).many} ${type === "equipment" ? "was" : "were"} not read`;

/** Record types in the order in which a sync reads them. */
export const RECORD_TYPE_ORDER: RecordType[] = PHASES.flatMap((phase) => phase.types);

const OPEN_STATES: SyncState[] = ["queued", "running", "retrying"];
/** Queued, running or retrying. */
export const isOpen = (state: SyncState): boolean => OPEN_STATES.includes(state);
/** Ended after reading everything, with or without errors. */
export const isComplete = (state: SyncState): boolean =>
  state === "completed" || state === "completed_with_errors";

/** The place of a record type in the order in which a sync reads them; unknown types come last. */
export const recordTypePlace = (type: RecordType): number =>
  (RECORD_TYPE_ORDER.indexOf(type) + RECORD_TYPE_ORDER.length + 1) % (RECORD_TYPE_ORDER.length + 1);
