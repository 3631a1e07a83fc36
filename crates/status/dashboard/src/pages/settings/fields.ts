// What the settings form holds, and what of it is a change. Pure.
import type { Settings, SettingsChange } from "../../api/types";

export interface Fields {
  enableScheduledSync: boolean;
  scheduleCron: string;
  scheduleTimeZone: string;
  pageSize: number | string;
  retrySeconds: (number | string)[];
}

export const fieldsOf = (settings: Settings): Fields => ({
  enableScheduledSync: settings.enableScheduledSync,
  scheduleCron: settings.scheduleCron,
  scheduleTimeZone: settings.scheduleTimeZone,
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
  if (Number(fields.pageSize) !== settings.pageSize) change.pageSize = Number(fields.pageSize);
  const delays = fields.retrySeconds.map((seconds) => Math.round(Number(seconds) * 1000));
  if (delays.some((ms, place) => ms !== settings.retryDelaysMs[place])) change.retryDelaysMs = delays;
  return change;
}
