// Changes of what operators configure, in words.
import type { ConfigurationChange, ConfigurationPart, RoleRule } from "../api/types";
import { capitalize } from "./capitalize";
import type { DiffRow } from "./diff-row";
import { formatCount } from "./numbers";
import { fieldLabel } from "./record-fields";
import { recordTypeNames, roleWord } from "./states";
import { formatDuration, formatExactDateTime, type Zone } from "./times";

/** Names that do not follow from the API's own; those of the settings are the ones of their form. */
const LABELS: Record<string, string> = {
  enableScheduledSync: "Schedule is on",
  scheduleCron: "Cron expression",
  scheduleMode: "Mode",
  scheduleTimeZone: "Time zone",
  incrementalOverlapSeconds: "Overlap of incremental syncs",
  missingRecords: "Records no longer in the onboarding portal",
  deactivationLimitPercent: "Ask an operator above",
  retryDelaysMs: "Retry delays",
  cron: "Cron expression",
  enabled: "On",
  vesselImos: "Vessels, by IMO number",
  companyId: "Company",
  equipmentIds: "Equipment",
  overlap: "If an earlier sync has not ended",
};

/** Values whose words are the API's, such as `last_write_wins`. */
const WORDS = new Set(["mode", "scheduleMode", "missingRecords", "overlap"]);

type ValueChange = Record<"before" | "after", unknown> & { name: string };

/** The values that differ. */
export function changeRows({ part, changes }: ConfigurationChange, zone: Zone): DiffRow[] {
  const rows = changes.flatMap(withMembers).flatMap(({ name, before, after }): DiffRow[] => {
    if (part === "role_mapping") return ruleRows(rulesOf(before), rulesOf(after));
    const label =
      part === "conflict_policies" ? recordTypeNames(name).many : (LABELS[name] ?? fieldLabel(name));
    const words = (value: unknown) => valueWords(part, name, value, zone);
    return [{ name: label, before: words(before), after: words(after) }];
  });
  // An empty list and none are the same to people.
  return rows.filter(({ before, after }) => before !== after);
}

/** What a schedule selects, each member as a value of its own. */
function withMembers({ name, before, after }: ValueChange): ValueChange[] {
  if (name !== "selection") return [{ name, before, after }];
  const [old, current] = [membersOf(before), membersOf(after)];
  return Object.keys({ ...old, ...current }).map((member) => ({
    name: member,
    before: old[member],
    after: current[member],
  }));
}

const membersOf = (value: unknown): Record<string, unknown> => ({ ...(value as object | null) });

function valueWords(part: ConfigurationPart, name: string, value: unknown, zone: Zone): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (name === "pause") return pauseWords(value, zone);
  if (Array.isArray(value)) return value.map((it) => listedWords(name, it)).join(", ") || null;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (name.endsWith("Seconds")) return formatDuration(value * 1000);
    return name.endsWith("Percent") ? `${value} %` : formatCount(value);
  }
  if (typeof value !== "string") return JSON.stringify(value);
  return part === "conflict_policies" || WORDS.has(name) ? capitalize(value.replaceAll("_", " ")) : value;
}

function listedWords(name: string, value: unknown): string {
  if (name === "retryDelaysMs") return formatDuration(Number(value));
  return name === "recordTypes" ? recordTypeNames(String(value)).many : String(value);
}

/** Until when a schedule is paused, or why it was. */
function pauseWords(pause: unknown, zone: Zone): string {
  const { until, reason } = pause as { until?: unknown; reason?: unknown };
  if (typeof reason === "string") return reason;
  return typeof until === "string" ? `until ${formatExactDateTime(until, zone)}` : "until someone resumes it";
}

const rulesOf = (value: unknown): RoleRule[] => (Array.isArray(value) ? (value as RoleRule[]) : []);

/** Rules that were added, removed, or give another role, and the order of those that stayed. */
function ruleRows(before: RoleRule[], after: RoleRule[]): DiffRow[] {
  const [old, current] = [rolesByCondition(before), rolesByCondition(after)];
  const rows = [...new Set([...old.keys(), ...current.keys()])].map((name) => ({
    name,
    before: old.get(name) ?? null,
    after: current.get(name) ?? null,
  }));
  const kept = (roles: Map<string, string>, others: Map<string, string>) =>
    [...roles.keys()].filter((name) => others.has(name)).join(" → ");
  return [...rows, { name: "Order of the rules", before: kept(old, current), after: kept(current, old) }];
}

/** `Chief engineer, ship, deck` → `Chief engineer` */
const rolesByCondition = (rules: RoleRule[]): Map<string, string> =>
  new Map(
    rules.map(({ rank, workplace, department, role }) => [
      [roleWord(rank), workplace, ...(department ? [department] : [])].join(", "),
      roleWord(role),
    ]),
  );
