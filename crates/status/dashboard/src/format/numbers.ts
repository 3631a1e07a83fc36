import type { ListTotal } from "../api/types";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** `6042` → `6,042` */
export const formatCount = (value: number): string => whole.format(value);

/** `plural(1, "vessel")` → `1 vessel`, `plural(41, "vessel")` → `41 vessels` */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${formatCount(value)} ${value === 1 ? one : many}`;

/** `6,042 syncs` of a list; `more than 10,000 syncs` of one that was not counted to its end. */
export const pluralTotal = ({ total, totalIsExact = true }: ListTotal, one: string, many?: string): string =>
  `${totalIsExact ? "" : "more than "}${plural(total, one, many)}`;

/** `4,812 rec/s`; null below half a second, where a rate says nothing. */
export function formatRate(records: number, ms: number): string | null {
  if (ms < 500 || records <= 0) return null;
  const perSecond = (records * 1000) / ms;
  return `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)} rec/s`;
}

/** `98.7 %` of a share from 0 to 1, rounded down so that 100 % means all. */
export function formatShare(share: number): string {
  // 0.29 * 1000 is 289.99…
  const tenths = Math.floor(Number((share * 1000).toFixed(6)));
  if (tenths === 0 && share > 0) return "under 0.1 %";
  return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)} %`;
}

/** Whole percent, rounded down so that 100 % means all; null while the total is unknown. */
export function percentOf(part: number, total: number | null): number | null {
  if (total === null) return null;
  if (total === 0) return 100;
  return Math.min(100, Math.floor((part * 100) / total));
}
