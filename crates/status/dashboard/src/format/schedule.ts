// A schedule in words: its state, what its syncs read, and the status line of all schedules.
import type { Schedule, ScheduleDefinition, ScheduleList } from "../api/types";
import { capitalize, uncapitalize } from "./capitalize";
import { plural } from "./numbers";
import { modeWord, recordTypeNames, type StateLabel } from "./states";
import type { Status } from "./status";

/** The schedule that is always there: it can be switched off, and not deleted. */
export const FIXED_SCHEDULE = "full-sync";

export function scheduleState(schedule: Schedule): StateLabel {
  if (!schedule.enabled) return { tone: "neutral", icon: "stop", word: "Off" };
  if (schedule.pause) return { tone: "warn", icon: "pause", word: "Paused" };
  if (schedule.preview.nextRuns.length === 0) return { tone: "warn", icon: "warning", word: "Never due" };
  return { tone: "good", icon: "check", word: "On" };
}

/** `Every day at 02:00` */
export const scheduleWords = (schedule: Pick<Schedule, "preview">): string =>
  capitalize(schedule.preview.description.replace(/\.$/, ""));

/** `Full sync`, `Incremental sync of users`, `Selective sync of 2 vessels` */
export function scheduleKind(definition: ScheduleDefinition): string {
  const { recordTypes = [], vesselImos = [], equipmentIds = [], companyId } = definition;
  const parts = [
    ...(companyId ? ["a company"] : []),
    ...(vesselImos.length > 0 ? [plural(vesselImos.length, "vessel")] : []),
    ...(equipmentIds.length > 0 ? [plural(equipmentIds.length, "equipment item")] : []),
    ...recordTypes.map((type) => uncapitalize(recordTypeNames(type).many)),
  ];
  const mode = `${modeWord(definition.mode ?? "full")} sync`;
  return parts.length === 0 ? mode : `${mode} of ${parts.join(", ")}`;
}

/** The definition of a stored schedule, without what the service adds to it. */
export const definitionOf = (schedule: Schedule): ScheduleDefinition => ({
  cron: schedule.cron,
  timeZone: schedule.timeZone ?? "UTC",
  mode: schedule.mode ?? "full",
  enabled: schedule.enabled ?? true,
  overlap: schedule.overlap ?? "skip",
  recordTypes: schedule.recordTypes ?? [],
  vesselImos: schedule.vesselImos ?? [],
  companyId: schedule.companyId ?? null,
  equipmentIds: schedule.equipmentIds ?? [],
});

/** The status line of the page of schedules. */
export function schedulesStatus({ data }: ScheduleList): Status {
  const on = data.filter((schedule) => schedule.enabled);
  if (on.length === 0) {
    return {
      tone: "neutral",
      headline: data.length === 1 ? "The schedule is off" : "All schedules are off",
      detail: "Syncs start only when an operator starts them. Approvals still arrive at once by webhook.",
    };
  }
  const troubles = [
    concerned(
      on,
      (it) => it.lastTick?.outcome === "missed",
      "missed its last time",
      "missed their last time",
    ),
    concerned(on, (it) => it.pause != null, "is paused", "are paused"),
    concerned(
      on,
      (it) => it.preview.nextRuns.length === 0,
      "is on, but no date matches it",
      "are on, but no date matches them",
    ),
  ].filter((trouble) => trouble !== null);
  const detail = "Approvals arrive at once by webhook, whatever the schedules do.";
  if (troubles.length > 0) return { tone: "warn", headline: troubles.join(", "), detail };
  // A schedule that was never due has not shown yet that it works.
  const isProven = on.some((schedule) => schedule.lastTick?.outcome === "started");
  return {
    tone: isProven ? "good" : "neutral",
    headline: `${plural(on.length, "schedule")} ${on.length === 1 ? "is" : "are"} on`,
    detail,
  };
}

/** `The schedule nightly is paused`, `3 schedules are paused`; null if none is concerned. */
function concerned(
  schedules: Schedule[],
  isConcerned: (schedule: Schedule) => boolean,
  one: string,
  many: string,
): string | null {
  const [first, ...others] = schedules.filter(isConcerned);
  if (!first) return null;
  return others.length === 0 ? `The schedule ${first.name} ${one}` : `${others.length + 1} schedules ${many}`;
}

/** When a schedule starts the next sync; undefined while none does. */
export const nextRunAt = ({ data }: ScheduleList): string | undefined =>
  data.flatMap((schedule) => schedule.nextRunAt ?? []).sort((a, b) => Date.parse(a) - Date.parse(b))[0];
