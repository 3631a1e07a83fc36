// A record in words: its name, and where it stands as a status line.
import type { RecordDetail, VesselState } from "../api/types";
import { plural } from "./numbers";
import { labelOf, RECORD_STANDINGS, recordTypeNames } from "./states";
import type { Status } from "./status";

/** `Isthmus Navigator · IMO 9788411`; the id of a record that has no name. */
export function recordName(record: Pick<RecordDetail, "name" | "sourceId">): string {
  return record.name?.replace(/ \(IMO (\d{7})\)$/, " · IMO\u00a0$1") ?? record.sourceId;
}

/** `Nordhavn Orion · IMO 9867607`; the id of a vessel of which no name ever came. */
export function vesselName(vessel: Pick<VesselState, "name" | "imoNumber" | "sourceId">): string {
  const name = vessel.name ?? vessel.sourceId;
  return vessel.imoNumber ? `${name} · IMO\u00a0${vessel.imoNumber}` : name;
}

/** The status line of a record's page. */
export function recordStatus(record: RecordDetail): Status {
  const { one } = recordTypeNames(record.recordType);
  const label = labelOf(RECORD_STANDINGS, record.standing);
  const errors = record.findings.filter((finding) => finding.severity === "error").length;
  const conflicts = `${plural(record.openConflicts, "conflict")} ${record.openConflicts === 1 ? "is" : "are"} open`;
  switch (record.standing) {
    case "rejected":
      return {
        tone: "bad",
        headline: "Rejected",
        detail: `The newest state has ${plural(errors, "error")}. ${
          record.status ? "An earlier state is here." : "No state of it is here."
        } Correct it in the onboarding portal, which then sends it again.`,
      };
    case "withdrawn":
      return {
        tone: "neutral",
        headline: "Withdrawn",
        detail: record.missingSince
          ? `A full sync did not find the ${one} in the onboarding portal any more.`
          : `The ${one} is not approved any more. What is here is kept, and not active.`,
      };
    case "never_came":
      return {
        tone: "neutral",
        headline: "Never came",
        detail: `A webhook or a sync has named this ${one}, and no state of it was ever written.`,
      };
    case "active":
      return record.openConflicts > 0
        ? { tone: "warn", headline: conflicts, detail: `The ${one} is active. An operator decides.` }
        : {
            tone: "good",
            headline: "Active",
            detail: `The newest state that came is here${record.findingsTotal > 0 ? `, with ${plural(record.findingsTotal, "warning")}` : ""}.`,
          };
    default:
      return { tone: label.tone, headline: label.word, detail: "" };
  }
}
