// The fields of the form of a schedule, and the definition that they make.
import type { Mode, OverlapPolicy, RecordType, ScheduleDefinition } from "../../api/types";

export interface ScheduleFields {
  name: string;
  cron: string;
  timeZone: string;
  mode: Mode;
  enabled: boolean;
  overlap: OverlapPolicy;
  recordTypes: RecordType[];
  vesselImos: string[];
  companyIds: string[];
  equipmentIds: string[];
}

export const NEW_SCHEDULE: ScheduleFields = {
  name: "",
  cron: "",
  timeZone: "UTC",
  mode: "full",
  enabled: true,
  overlap: "skip",
  recordTypes: [],
  vesselImos: [],
  companyIds: [],
  equipmentIds: [],
};

export const fieldsOf = (name: string, definition: ScheduleDefinition): ScheduleFields => ({
  ...NEW_SCHEDULE,
  ...definition,
  name,
  companyIds: definition.companyId ? [definition.companyId] : [],
});

/** The definition for a request. A selection that the mode does not have is left out. */
export function definitionFrom(fields: ScheduleFields): ScheduleDefinition {
  const { cron, timeZone, mode, enabled, overlap } = fields;
  return {
    cron: cron.trim(),
    timeZone,
    mode,
    enabled,
    overlap,
    recordTypes: mode === "full" ? [] : fields.recordTypes,
    vesselImos: mode === "selective" ? fields.vesselImos : [],
    companyId: mode === "selective" ? (fields.companyIds[0] ?? null) : null,
    equipmentIds: mode === "selective" ? fields.equipmentIds : [],
  };
}

/** How many fields differ from the saved ones. */
export const changedFields = (saved: ScheduleFields, fields: ScheduleFields): number =>
  (Object.keys(saved) as (keyof ScheduleFields)[]).filter(
    (key) => JSON.stringify(saved[key]) !== JSON.stringify(fields[key]),
  ).length;
