// What the settings form holds, and what of it is a change. Pure.
import type { MissingPolicy, Mode, Settings, SettingsChange } from "../../api/types";

export interface Fields {
  enableScheduledSync: boolean;
  scheduleCron: string;
  scheduleTimeZone: string;
  scheduleMode: Mode;
  incrementalOverlapSeconds: number | string;
  missingRecords: MissingPolicy;
  deactivationLimitPercent: number | string;
  pageSize: number | string;
  retrySeconds: (number | string)[];
}

export const fieldsOf = (settings: Settings): Fields => ({
  enableScheduledSync: settings.enableScheduledSync,
  scheduleCron: settings.scheduleCron,
  scheduleTimeZone: settings.scheduleTimeZone,
  scheduleMode: settings.scheduleMode,
  incrementalOverlapSeconds: settings.incrementalOverlapSeconds ?? 0,
  missingRecords: settings.missingRecords,
  deactivationLimitPercent: settings.deactivationLimitPercent ?? 0,
  pageSize: settings.pageSize,
  retrySeconds: settings.retryDelaysMs.map((ms) => ms / 1000),
});

/** What was typed, with the settings that it was typed over. What was not touched follows the settings. */
export interface Draft {
  version: number;
  touched: Partial<Fields>;
}

export const withDraft = (settings: Settings, draft: Draft | null): Fields => ({
  ...fieldsOf(settings),
  ...draft?.touched,
});

/** What the form says otherwise than the settings; nothing else is sent. */
export function changeOf(settings: Settings, fields: Fields): SettingsChange {
  const change: SettingsChange = {};
  if (fields.enableScheduledSync !== settings.enableScheduledSync)
    change.enableScheduledSync = fields.enableScheduledSync;
  if (fields.scheduleCron !== settings.scheduleCron) change.scheduleCron = fields.scheduleCron;
  if (fields.scheduleTimeZone !== settings.scheduleTimeZone)
    change.scheduleTimeZone = fields.scheduleTimeZone;
  if (fields.scheduleMode !== settings.scheduleMode) change.scheduleMode = fields.scheduleMode;
  if (fields.missingRecords !== settings.missingRecords) change.missingRecords = fields.missingRecords;
  for (const key of ["pageSize", "incrementalOverlapSeconds", "deactivationLimitPercent"] as const) {
    if (Number(fields[key]) !== (settings[key] ?? 0)) change[key] = Number(fields[key]);
  }
  const delays = fields.retrySeconds.map((seconds) => Math.round(Number(seconds) * 1000));
  if (delays.some((ms, place) => ms !== settings.retryDelaysMs[place])) change.retryDelaysMs = delays;
  return change;
}
