// Figures as people read them.

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** `6042` → `6,042` */
export const count = (value: number): string => whole.format(value);

/** `plural(1, "vessel")` → `1 vessel`, `plural(41, "vessel")` → `41 vessels` */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** Records per second, rounded to what a person uses; null while there is nothing to divide by. */
export function rate(records: number, ms: number): string | null {
  if (ms < 500 || records <= 0) return null;
  const perSecond = (records * 1000) / ms;
  return `${perSecond < 10 ? perSecond.toFixed(1) : count(perSecond)} rec/s`;
}

/** Share from 0 to 100; null if the whole is not known. */
export function percent(part: number, all: number | null): number | null {
  if (all === null) return null;
  if (all === 0) return 100;
  return Math.min(100, Math.floor((part * 100) / all));
}
