// Critical parts and maintenance schedules in words.
import type { Part } from "../api/types";
import { formatCount } from "./numbers";
import { labelOf, RECORD_STANDINGS, type StateLabel } from "./states";

const numberOf = ({ values }: Part, name: string): number | null => {
  const value = (values as Record<string, unknown>)[name];
  return typeof value === "number" ? value : null;
};

export const textOf = ({ values }: Part, name: string): string | null => {
  const value = (values as Record<string, unknown>)[name];
  return typeof value === "string" && value !== "" ? value : null;
};

const BELOW_MINIMUM: StateLabel = { tone: "warn", icon: "warning", word: "Below minimum" };
const NOT_COUNTED: StateLabel = { tone: "neutral", icon: "clock", word: "Not counted" };
const ENOUGH: StateLabel = { tone: "good", icon: "check", word: "Enough" };

/** Whether enough of a part is on board, as the ship has counted it. */
export function stockLabel(part: Part): StateLabel {
  if (part.status !== "active") return labelOf(RECORD_STANDINGS, part.status);
  const stock = numberOf(part, "stockOnBoard");
  if (stock === null) return NOT_COUNTED;
  return stock < (numberOf(part, "minimumStock") ?? 0) ? BELOW_MINIMUM : ENOUGH;
}

/** `2 pcs`; null if it is not known. */
export function quantity(part: Part, name: "stockOnBoard" | "minimumStock"): string | null {
  const number = numberOf(part, name);
  return number === null ? null : [formatCount(number), textOf(part, "unit")].filter(Boolean).join(" ");
}

/** `45 days`; null if it is not known. */
export function leadTime(part: Part): string | null {
  const days = numberOf(part, "leadTimeDays");
  return days === null ? null : daysText(days);
}

/** `every 90 days or 8,000 h, ± 10 days` */
export function interval(part: Part): string {
  const days = numberOf(part, "everyDays");
  const hours = numberOf(part, "everyHours");
  const tolerance = numberOf(part, "toleranceDays");
  const every = [
    ...(days === null ? [] : [daysText(days)]),
    ...(hours === null ? [] : [`${formatCount(hours)} h`]),
  ].join(" or ");
  return `every ${every}${tolerance ? `, ± ${daysText(tolerance)}` : ""}`;
}

const daysText = (days: number): string => `${formatCount(days)} ${days === 1 ? "day" : "days"}`;
