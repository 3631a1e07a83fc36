// The fields of the form of a schedule, and the definition that they make.
import type { OverlapPolicy, ScheduleDefinition } from "../../api/types";
import { type Selection, selectionRequest, WHOLE_FLEET } from "../../ui/selection-fields";

export interface ScheduleFields extends Selection {
  name: string;
  cron: string;
  timeZone: string;
  enabled: boolean;
  overlap: OverlapPolicy;
}

export const NEW_SCHEDULE: ScheduleFields = {
  ...WHOLE_FLEET,
  name: "",
  cron: "",
  timeZone: "UTC",
  enabled: true,
  overlap: "skip",
};

export const fieldsOf = (name: string, definition: ScheduleDefinition): ScheduleFields => ({
  ...NEW_SCHEDULE,
  ...definition,
  name,
  companyIds: definition.companyId ? [definition.companyId] : [],
});

/** The definition for a request. */
export function definitionFrom(fields: ScheduleFields): ScheduleDefinition {
  const { cron, timeZone, enabled, overlap } = fields;
  return { cron: cron.trim(), timeZone, enabled, overlap, ...selectionRequest(fields) };
}

/** How many fields differ from the saved ones. */
export const changedFields = (saved: ScheduleFields, fields: ScheduleFields): number =>
  (Object.keys(saved) as (keyof ScheduleFields)[]).filter(
    (key) => JSON.stringify(saved[key]) !== JSON.stringify(fields[key]),
  ).length;
