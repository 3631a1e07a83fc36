// The API types that the pages use. Only this file and client.ts import the generated schema.
import type { components, operations } from "./schema";

export type { operations };

type Schemas = components["schemas"];
export type RecordType = Schemas["RecordType"];
export type SyncState = Schemas["SyncState"];
export type Cause = Schemas["Cause"];
export type Mode = Schemas["Mode"];
export type RecordCounts = Schemas["RecordCounts"];
export type SyncSummary = Schemas["SyncSummary"];
export type SyncDetail = Schemas["SyncDetail"];
export type SyncNotice = Schemas["SyncNotice"];
export type Attempt = Schemas["Attempt"];
export type Finding = Schemas["Finding"];
export type ValidationReport = Schemas["ValidationReport"];
export type MissingPolicy = Schemas["MissingPolicy"];
export type Attention = Schemas["Attention"];
export type Overview = Schemas["Overview"];
export type Part = Schemas["Part"];
export type PartKind = Schemas["PartKind"];
export type PartHealth = Schemas["PartHealth"];
export type Settings = Schemas["Settings"];
export type SettingsChange = Schemas["SettingsChange"];
export type ConfigurationChange = Schemas["ConfigurationChange"];
export type ConfigurationPart = Schemas["ConfigurationPart"];
export type Schedule = Schemas["Schedule"];
export type ScheduleDefinition = Schemas["ScheduleDefinition"];
export type ScheduleList = Schemas["ScheduleList"];
export type SchedulePreset = Schemas["SchedulePreset"];
export type ScheduleTick = Schemas["ScheduleTick"];
export type TickOutcome = Schemas["TickOutcome"];
export type OverlapPolicy = Schemas["OverlapPolicy"];
export type LocalRun = Schemas["LocalRun"];
export type ClockChange = Schemas["ClockChange"];
export type DoctorReport = Schemas["DoctorReport"];
export type Diagnosis = Schemas["Diagnosis"];
export type DoctorQuestion = Schemas["DoctorQuestion"];
export type FleetCount = Schemas["FleetCount"];
export type FleetRecord = Schemas["Record"];
export type AcknowledgementRequest = Schemas["AcknowledgementRequest"];
export type VesselState = Schemas["VesselState"];
export type RecordDetail = Schemas["RecordDetail"];
export type RecordStanding = Schemas["RecordStanding"];
export type RecordStatus = Schemas["RecordStatusFilter"];
export type Timeline = Schemas["Timeline"];
export type TimelineEntry = Schemas["TimelineEntry"];
export type TimelineKind = Schemas["TimelineKind"];
export type TriggerRequest = Schemas["TriggerRequest"];
export type Change = Schemas["Change"];
export type ChangeOutcome = Schemas["ChangeOutcome"];
export type Undo = Schemas["Undo"];
export type UndoneRecord = Schemas["UndoneRecord"];
export type HitKind = Schemas["HitKind"];
export type SearchHit = Schemas["SearchHit"];
export type SearchGroup = Schemas["SearchGroup"];
export type SearchResult = Schemas["SearchResult"];
export type SchedulePreview = Schemas["SchedulePreview"];
export type ConnectionTest = Schemas["ConnectionTest"];
export type DeadLetter = Schemas["DeadLetter"];
export type DeadLetterDetail = Schemas["DeadLetterDetail"];
export type DeadLetterGroup = Schemas["DeadLetterGroup"];
export type ReplayPlan = Schemas["ReplayPlan"];
export type ReplayJob = Schemas["ReplayJob"];
export type ReplayItem = Schemas["ReplayItem"];
export type ReplayItemState = Schemas["ReplayItemState"];
export type ReplayAccepted = Schemas["ReplayAccepted"];
export type ReplayRequest = Schemas["ReplayRequest"];
export type OlderRecords = Schemas["OlderRecords"];
export type Conflict = Schemas["Conflict"];
export type ConflictState = Schemas["ConflictState"];
export type Resolution = Schemas["Resolution"];
export type WebhookEvent = Schemas["WebhookEvent"];
export type WebhookEventDetail = Schemas["WebhookEventDetail"];
export type WebhookState = Schemas["WebhookState"];
export type RefusedWebhook = Schemas["RefusedWebhook"];
export type WebhookRefusal = Schemas["WebhookRefusal"];
export type ReprocessAccepted = Schemas["ReprocessAccepted"];
export type ReprocessRequest = Schemas["ReprocessRequest"];
export type ReprocessPlan = Schemas["ReprocessPlan"];
export type User = Schemas["User"];
export type RoleMapping = Schemas["RoleMapping"];
export type RoleMappingEffect = Schemas["RoleMappingEffect"];
export type RoleChange = Schemas["RoleChange"];
export type RoleRule = Schemas["RoleRule"];
export type Permission = Schemas["Permission"];
export type PortalRole = Schemas["PortalRole"];
export type Workplace = Schemas["Workplace"];
export type AuditEntry = Schemas["AuditEntry"];
export type AuditChain = Schemas["AuditChain"];
export type AuditAction = Schemas["AuditAction"];
export type Analytics = Schemas["Analytics"];
export type WindowWidth = Schemas["WindowWidth"];
export type FailureCount = Schemas["FailureCount"];
export type FindingCount = Schemas["FindingCount"];
export type ResolvedMany = Schemas["ResolvedMany"];
export type ResolveRequest = Schemas["ResolveRequest"];
export type Side = Schemas["Side"];
export type Identity = Schemas["Identity"];
export type StandingError = Schemas["StandingError"];
/** The part of the fleet that a token is for. */
export type FleetPart = Schemas["IdentityScope"];

/** How many entries a list has; of a long one, which is not counted to its end, a number that it exceeds. */
export interface ListTotal {
  total: number;
  totalIsExact?: boolean;
}

/** A page of a list. */
export interface List<T> {
  data: T[];
  pagination: ListTotal & { limit: number; offset: number };
}

export type Severity = "error" | "warning";
export type DeadLetterState = "dead" | "replaying" | "replayed" | "succeeded";
