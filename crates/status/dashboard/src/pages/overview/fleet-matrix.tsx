import { Button } from "@mantine/core";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type CSSProperties, useState } from "react";
import { asProblem } from "../../api/problem";
import { listVessels } from "../../api/queries/vessels";
import { formatCount, plural } from "../../format/numbers";
import { Card } from "../../ui/card";
import { ProblemNote } from "../../ui/problem-note";
import { Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { vesselColumns } from "../../ui/vessel-columns";
import styles from "./fleet-matrix.module.css";

/** Rows that are shown at first: the worst. */
const SHOWN_ROWS = 8;

/**
 * One row per vessel, worst first, with what waits on board. Absent while the fleet is empty. `active`: number of active vessels,
 * whose place is kept free until they are there.
 */
export function FleetMatrix({ active }: { active: number }) {
  const [isExpanded, setExpanded] = useState(false);
  const vessels = useQuery(listVessels());
  if (!vessels.data)
    return active > 0 || vessels.isError ? (
      <Unknown active={active} failed={vessels.isError ? vessels : undefined} />
    ) : null;
  const { data: rows, pagination } = vessels.data;
  if (rows.length === 0) return null;
  const shown = isExpanded ? rows : rows.slice(0, SHOWN_ROWS);
  const others = pagination.total - rows.length;
  return (
    <Card title="Vessels" aside={<Link to="/records">All vessels</Link>}>
      <Table
        label="Vessels"
        columns={vesselColumns}
        data={shown}
        rowKey={({ sourceId }) => sourceId}
        linked
      />
      {shown.length < rows.length && (
        <div>
          <Button size="xs" variant="default" onClick={() => setExpanded(true)}>
            Show all {formatCount(rows.length)} vessels
          </Button>
        </div>
      )}
      <p className={text.dim}>
        Worst first. Counts are of the vessel, its equipment and its users.
        {others > 0 &&
          ` ${plural(others, "vessel")} of which less is wrong ${others === 1 ? "is" : "are"} not listed here.`}
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
