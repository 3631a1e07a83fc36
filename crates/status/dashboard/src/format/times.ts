export type Zone = "utc" | "local";

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterFor(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone}${JSON.stringify(options)}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat("en-GB", {
      ...options,
      ...(zone === "utc" ? { timeZone: "UTC" } : {}),
    });
    formatters.set(key, formatter);
  }
  return formatter;
}

/** `24 Nov 05:12:09`, with the year if it is not the current one. */
export function formatDateTime(iso: string, zone: Zone, now: number): string {
  const at = new Date(iso);
  const sameYear = at.getUTCFullYear() === new Date(now).getUTCFullYear();
  return formatterFor(zone, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  })
    .format(at)
    .replace(",", "");
}

/** `24 Nov 05:00` of an hour, `24 Nov` of a day, which is one in UTC; with the year if it is not the current one. */
export function formatWindow(startsAt: string, width: "hour" | "day", zone: Zone, now: number): string {
  const at = new Date(startsAt);
  const sameYear = at.getUTCFullYear() === new Date(now).getUTCFullYear();
  return formatterFor(width === "day" ? "utc" : zone, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
    ...(width === "day" ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  })
    .format(at)
    .replace(",", "");
}

/** `Tue 24 Nov 2026, 05:12:09 UTC` */
export const formatExactDateTime = (iso: string, zone: Zone): string =>
  formatterFor(zone, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
  }).format(new Date(iso));

/** `Tue 24 Nov, 02:00` in the schedule's own time zone, with the year if it is not the current one. */
export function formatScheduledTime(iso: string, timeZone: string, now: number): string {
  const sameYear = new Date(iso).getUTCFullYear() === new Date(now).getUTCFullYear();
  try {
    return new Intl.DateTimeFormat("en-GB", {
      ...(sameYear ? {} : { year: "numeric" }),
      timeZone,
      weekday: "short",
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    }).format(new Date(iso));
  } catch {
    return iso;
  }
}

/** `2026-11-24T05:12` for a field of a date and time, in the zone. */
export function toInputTime(iso: string, zone: Zone): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  const shifted = zone === "utc" ? at : new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

/** The time of such a field in RFC 3339; undefined while it is empty or incomplete. */
export function fromInputTime(value: string, zone: Zone): string | undefined {
  const at = new Date(zone === "utc" ? `${value}Z` : value);
  return value === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

const UNITS: [unit: string, ms: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** `3 min ago`, `in 2 h`, `just now`. */
export function formatRelative(iso: string, now: number): string {
  const ms = Date.parse(iso) - now;
  const [unit, size] = UNITS.find(([, unitMs]) => Math.abs(ms) >= unitMs) ?? ["s", 1000];
  const n = Math.floor(Math.abs(ms) / size);
  if (n === 0) return "just now";
  return ms < 0 ? `${n} ${unit} ago` : `in ${n} ${unit}`;
}

/** `about 40 s`, `about 3 min`, `about 2 h`: an estimate is not exact to the second. */
export function formatEstimate(ms: number): string {
  if (ms < 55_000) return `about ${Math.max(5, Math.ceil(ms / 5000) * 5)} s`;
  const minutes = Math.ceil(ms / 60_000);
  return minutes < 90 ? `about ${minutes} min` : `about ${Math.round(minutes / 60)} h`;
}

/** `under 1 ms`, `340 ms`, `4.2 s`, `2 min 14 s`, `1 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return "under 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}
