import { Button } from "@mantine/core";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type CSSProperties, useMemo, useState } from "react";
import { asProblem } from "../../api/problem";
import { listVesselConflicts } from "../../api/queries/conflicts";
import { listVesselFindings } from "../../api/queries/findings";
import { listVessels } from "../../api/queries/records";
import { formatCount, plural } from "../../format/numbers";
import { recordName } from "../../format/records";
import { labelOf, RECORD_STANDINGS, type Tone } from "../../format/states";
import { type VesselRow, vesselRows } from "../../format/vessel-rows";
import { Card } from "../../ui/card";
import { ProblemNote } from "../../ui/problem-note";
import { StateBadge } from "../../ui/state-badge";
import { columnsOf, rowLink, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { ToneCount } from "../../ui/tone-count";
import styles from "./fleet-matrix.module.css";

const column = columnsOf<VesselRow>();

const number = (id: "errors" | "warnings" | "conflicts", header: string, tone: Tone) =>
  column.display({
    id,
    header,
    meta: { figure: true },
    cell: ({ row }) => {
      const value = row.original[id];
      return value === null ? (
        <span className={text.dim}>unknown</span>
      ) : (
        <ToneCount value={value} tone={tone} />
      );
    },
  });

const time = (id: "versionAt" | "syncedAt", header: string) =>
  column.display({
    id,
    header,
    cell: ({ row }) => {
      const iso = row.original.vessel[id];
      return iso ? <Time iso={iso} /> : <span className={text.dim}>never</span>;
    },
  });

const columns = [
  column.display({
    id: "vessel",
    header: "Vessel",
    cell: ({ row: { original } }) => (
      <Link
        to="/records/$recordType/$sourceId"
        params={{ recordType: "vessel", sourceId: original.vessel.sourceId }}
        {...rowLink}
      >
        <bdi>{recordName(original.vessel)}</bdi>
      </Link>
    ),
  }),
  column.display({
    id: "state",
    header: "State",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(RECORD_STANDINGS, row.original.vessel.standing)} />,
  }),
  number("errors", "Errors", "bad"),
  number("conflicts", "Conflicts", "warn"),
  number("warnings", "Warnings", "warn"),
  time("versionAt", "Last change"),
  time("syncedAt", "Last sync"),
];

/** Rows that are shown at first: the worst. */
const SHOWN_ROWS = 8;

/**
 * One row per vessel, worst first, with what concerns the vessel itself. Absent while the fleet is empty. `active`: number of active
 * vessels, whose place is kept free until they are there.
 */
export function FleetMatrix({ active }: { active: number }) {
  const [isExpanded, setExpanded] = useState(false);
  const vesselQuery = useQuery(listVessels());
  const rejectedQuery = useQuery(listVessels("rejected"));
  const reportQuery = useQuery(listVesselFindings());
  const conflictQuery = useQuery(listVesselConflicts());
  const [vessels, rejected, report, conflicts] = [
    vesselQuery.data,
    rejectedQuery.data,
    reportQuery.data,
    conflictQuery.data,
  ];
  const rows = useMemo(
    () =>
      vessels && rejected && report && conflicts
        ? vesselRows({
            vessels,
            rejected,
            findings: { data: report.findings, pagination: report.pagination },
            conflicts,
          })
        : [],
    [vessels, rejected, report, conflicts],
  );
  if (!vessels || !rejected || !report || !conflicts) {
    const failed = [vesselQuery, rejectedQuery, reportQuery, conflictQuery].find(({ isError }) => isError);
    return active > 0 || failed ? <Unknown active={active} failed={failed} /> : null;
  }
  if (rows.length === 0) return null;
  const shown = isExpanded ? rows : rows.slice(0, SHOWN_ROWS);
  const others = vessels.pagination.total - vessels.data.length;
  return (
    <Card title="Vessels" aside={<Link to="/records">All vessels</Link>}>
      <Table label="Vessels" columns={columns} data={shown} rowKey={({ vessel }) => vessel.sourceId} linked />
      {shown.length < rows.length && (
        <div>
          <Button size="xs" variant="default" onClick={() => setExpanded(true)}>
            Show all {formatCount(rows.length)} vessels
          </Button>
        </div>
      )}
      <p className={text.dim}>
        Worst first. Counts are of the vessels themselves; what is wrong on board stands on each vessel's
        page.
        {others > 0 &&
          ` ${plural(others, "vessel")} without errors ${others === 1 ? "is" : "are"} not listed here.`}
      </p>
    </Card>
  );
}

/** The card before its vessels are known, about as high as with them, so that nothing below moves. */
function Unknown(props: { active: number; failed: Pick<UseQueryResult, "error" | "refetch"> | undefined }) {
  const { active, failed } = props;
  const rows = Math.min(active, SHOWN_ROWS);
  return (
    <Card title="Vessels" aside={<Link to="/records">All vessels</Link>}>
      {failed ? (
        <ProblemNote problem={asProblem(failed.error)} onRetry={() => failed.refetch()} />
      ) : (
        <div
          className={styles.place}
          data-expandable={active > SHOWN_ROWS || undefined}
          style={{ "--rows": rows } as CSSProperties}
        />
      )}
    </Card>
  );
}
