import { Link } from "@tanstack/react-router";
import type { VesselState } from "../api/types";
import { vesselName } from "../format/records";
import { labelOf, RECORD_STANDINGS, type Tone } from "../format/states";
import { StateBadge } from "./state-badge";
import { columnsOf, rowLink } from "./table";
import text from "./text.module.css";
import { Time } from "./time";
import { ToneCount } from "./tone-count";

const column = columnsOf<VesselState>();

type Count = "rejected" | "acknowledged" | "openConflicts" | "deadLetters" | "equipmentMissing" | "warnings";

const number = (id: Count, header: string, tone: Tone) =>
  column.display({
    id,
    header,
    meta: { figure: true },
    cell: ({ row }) => <ToneCount value={row.original[id]} tone={tone} />,
  });

const time = (id: "versionAt" | "syncedAt", header: string) =>
  column.display({
    id,
    header,
    cell: ({ row }) => {
      const iso = row.original[id];
      return iso ? <Time iso={iso} /> : <span className={text.dim}>never</span>;
    },
  });

/** The columns of a list of vessels, with what waits on each. */
export const vesselColumns = [
  column.display({
    id: "vessel",
    header: "Vessel",
    cell: ({ row: { original } }) => (
      <Link
        to="/records/$recordType/$sourceId"
        params={{ recordType: "vessel", sourceId: original.sourceId }}
        {...rowLink}
      >
        <bdi>{vesselName(original)}</bdi>
      </Link>
    ),
  }),
  column.display({
    id: "state",
    header: "State",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(RECORD_STANDINGS, row.original.standing)} />,
  }),
  number("rejected", "Rejected", "bad"),
  number("equipmentMissing", "Not on board", "bad"),
  number("deadLetters", "Dead letters", "bad"),
  number("openConflicts", "Conflicts", "warn"),
  number("warnings", "Warnings", "warn"),
  number("acknowledged", "Known", "neutral"),
  time("versionAt", "Last change"),
  time("syncedAt", "Last sync"),
];
