// Every state of the API: its tone, its icon, its word. Nothing else in the dashboard decides a colour.
import type { Cause, DeadLetterState, Mode, RecordType, Severity, SyncState } from "../api/types";

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
  | "skull";

export interface Look {
  tone: Tone;
  icon: IconName;
  word: string;
}

export const SYNC_STATES: Record<SyncState, Look> = {
  queued: { tone: "neutral", icon: "clock", word: "Queued" },
  running: { tone: "info", icon: "running", word: "Running" },
  retrying: { tone: "info", icon: "retry", word: "Retrying" },
  completed: { tone: "good", icon: "check", word: "Completed" },
  completed_with_errors: { tone: "warn", icon: "warning", word: "Completed with errors" },
  failed: { tone: "bad", icon: "cross", word: "Failed" },
  cancelled: { tone: "neutral", icon: "stop", word: "Cancelled" },
};

export const DEAD_LETTER_STATES: Record<DeadLetterState, Look> = {
  dead: { tone: "bad", icon: "skull", word: "Dead" },
  replaying: { tone: "info", icon: "running", word: "Replaying" },
  replayed: { tone: "info", icon: "retry", word: "Replayed" },
  succeeded: { tone: "good", icon: "check", word: "Succeeded" },
};

export const SEVERITIES: Record<Severity, Look> = {
  error: { tone: "bad", icon: "cross", word: "Rejected" },
  warning: { tone: "warn", icon: "warning", word: "Warning" },
};

export const FAILURE_CLASSES: Record<string, Look> = {
  transient: { tone: "info", icon: "retry", word: "Transient" },
  permanent: { tone: "bad", icon: "cross", word: "Permanent" },
  poison: { tone: "bad", icon: "skull", word: "Poison" },
};

/** What became of a record, in the order in which they are summed. */
export const OUTCOMES = [
  { key: "created", tone: "good", icon: "plus", word: "Created" },
  { key: "updated", tone: "info", icon: "pencil", word: "Updated" },
  { key: "unchanged", tone: "neutral", icon: "equal", word: "Unchanged" },
  { key: "conflict", tone: "warn", icon: "split", word: "Conflict" },
  { key: "rejected", tone: "bad", icon: "cross", word: "Rejected" },
  { key: "skipped", tone: "neutral", icon: "skip", word: "Skipped" },
] as const satisfies readonly (Look & { key: string })[];

export const UNKNOWN: Look = { tone: "neutral", icon: "clock", word: "Unknown" };

/** The look of a state; a state that is newer than this dashboard keeps its own word. */
export const look = (table: Record<string, Look>, state: string): Look =>
  table[state] ?? { ...UNKNOWN, word: state.replaceAll("_", " ") };

export const CAUSES: Record<Cause, string> = {
  manual: "Started by an operator",
  scheduled: "Started by the schedule",
  webhook: "Started by an approval",
  replay: "Started by a replay",
};

export const CAUSE_WORDS: Record<Cause, string> = {
  manual: "Manual",
  scheduled: "Scheduled",
  webhook: "Webhook",
  replay: "Replay",
};

export const MODES: Record<Mode, string> = {
  full: "Full",
  incremental: "Incremental",
  selective: "Selective",
};

export const RECORD_TYPES: Record<RecordType, { one: string; many: string; phase: number }> = {
  company: { one: "company", many: "Companies", phase: 1 },
  vessel: { one: "vessel", many: "Vessels", phase: 1 },
  equipment: { one: "piece of equipment", many: "Equipment", phase: 2 },
  user: { one: "user", many: "Users", phase: 2 },
};

export const PHASES: { number: number; title: string; types: RecordType[] }[] = [
  { number: 1, title: "Companies and vessels", types: ["company", "vessel"] },
  { number: 2, title: "Equipment and users", types: ["equipment", "user"] },
];

/** Kinds of record in the order in which they are read. */
export const RECORD_TYPE_ORDER: RecordType[] = PHASES.flatMap((phase) => phase.types);

const OPEN: SyncState[] = ["queued", "running", "retrying"];
/** Whether a sync in this state came to its end, however its records fared: what it was to read, it has read. */
export const isWhole = (state: SyncState): boolean =>
  state === "completed" || state === "completed_with_errors";
export const isOpen = (state: SyncState): boolean => OPEN.includes(state);
