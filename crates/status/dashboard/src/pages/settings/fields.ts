// The fields of the settings form, and the difference between them and the saved settings. The schedule that the API also
// has among the settings is edited with the other schedules, on their page.
import type { MissingPolicy, Settings, SettingsChange } from "../../api/types";

export interface Fields {
  incrementalOverlapSeconds: number | string;
  missingRecords: MissingPolicy;
  deactivationLimitPercent: number | string;
  pageSize: number | string;
  retrySeconds: (number | string)[];
}

/** What each group of fields in the form gets. */
export interface FieldGroupProps {
  fields: Fields;
  /** Error texts by field name. */
  errors: Record<string, string>;
  disabled: boolean;
  onEdit: (part: Partial<Fields>) => void;
}

export const fieldsOf = (settings: Settings): Fields => ({
  incrementalOverlapSeconds: settings.incrementalOverlapSeconds ?? 0,
  missingRecords: settings.missingRecords,
  deactivationLimitPercent: settings.deactivationLimitPercent ?? 0,
  pageSize: settings.pageSize,
  retrySeconds: settings.retryDelaysMs.map((ms) => ms / 1000),
});

/** Edited fields, with the version of the settings that was being edited. All other fields follow the settings. */
export interface Draft {
  version: number;
  edited: Partial<Fields>;
}

export const draftFields = (settings: Settings, draft: Draft | null): Fields => ({
  ...fieldsOf(settings),
  ...draft?.edited,
});

/** The fields that differ from the settings. Only these are sent, so that another operator's change is not undone. */
export function settingsChange(settings: Settings, fields: Fields): SettingsChange {
  const change: SettingsChange = {};
  if (fields.missingRecords !== settings.missingRecords) change.missingRecords = fields.missingRecords;
  for (const key of NUMBER_FIELDS) {
    if (!isEmpty(fields[key]) && Number(fields[key]) !== (settings[key] ?? 0))
      change[key] = Number(fields[key]);
  }
  const delays = fields.retrySeconds.map((seconds) => Math.round(Number(seconds) * 1000));
  if (!fields.retrySeconds.some(isEmpty) && delays.some((ms, index) => ms !== settings.retryDelaysMs[index]))
    change.retryDelaysMs = delays;
  return change;
}

const NUMBER_FIELDS = ["pageSize", "incrementalOverlapSeconds", "deactivationLimitPercent"] as const;

const isEmpty = (value: number | string): boolean => value === "";

/** Error texts of number fields that were emptied: an empty field is no zero. */
export function emptyFieldErrors(fields: Fields): Record<string, string> {
  const names = [
    ...NUMBER_FIELDS.filter((name) => isEmpty(fields[name])),
    ...fields.retrySeconds.flatMap((seconds, index) => (isEmpty(seconds) ? [`retryDelaysMs.${index}`] : [])),
  ];
  return Object.fromEntries(names.map((name) => [name, "Enter a number."]));
}
