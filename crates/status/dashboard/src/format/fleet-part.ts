// The part of the fleet that a token is for, in words, and whether anything needs attention there.
import type { FleetPart, List, VesselState } from "../api/types";
import { formatCount, plural } from "./numbers";
import type { Status } from "./status";

const NAMES_LIMIT = 5;

/** `vessel 9074729 and companies c-1, c-2`; of an empty part: `no vessel` */
export function fleetPartText({ vessels, companies }: FleetPart): string {
  const parts = [named(vessels, "vessel", "vessels"), named(companies, "company", "companies")];
  return parts.filter(Boolean).join(" and ") || "no vessel";
}

function named(names: string[], one: string, many: string): string {
  if (names.length === 0) return "";
  const others = names.length - NAMES_LIMIT;
  const listed = names.slice(0, NAMES_LIMIT).join(", ");
  return `${names.length === 1 ? one : many} ${listed}${others > 0 ? `, ${formatCount(others)} more` : ""}`;
}

/** The status line of the vessels of a part of the fleet, of which the worst are listed. */
export function fleetPartStatus({ data, pagination }: List<VesselState>): Status {
  const sum = (count: "rejected" | "openConflicts" | "deadLetters") =>
    data.reduce((total, vessel) => total + vessel[count], 0);
  const [deadLetters, rejected, conflicts] = [sum("deadLetters"), sum("rejected"), sum("openConflicts")];
  const troubles = [
    ...(deadLetters > 0 ? [plural(deadLetters, "dead letter")] : []),
    ...(rejected > 0 ? [plural(rejected, "rejected record")] : []),
    ...(conflicts > 0 ? [plural(conflicts, "open conflict")] : []),
  ];
  if (troubles.length > 0) {
    return {
      tone: deadLetters > 0 ? "bad" : "warn",
      headline: `Out of sync: ${troubles.join(", ")}`,
      detail: "The vessels below say where.",
    };
  }
  if (pagination.total === 0) {
    return {
      tone: "neutral",
      headline: "No vessels yet",
      detail: "None of the vessels that your token is for has come from the onboarding portal.",
    };
  }
  return {
    tone: "good",
    headline: `Nothing needs attention on ${plural(pagination.total, "vessel")}`,
    // The numbers are of records that have a row or were rejected.
    detail:
      "No known record of them waits for anybody. A failed approval of a record that never came is seen by operators of the whole fleet alone.",
  };
}
