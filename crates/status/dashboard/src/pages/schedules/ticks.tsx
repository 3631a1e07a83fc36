import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { listTicks } from "../../api/queries/schedules";
import type { ScheduleTick, TickOutcome } from "../../api/types";
import { labelOf, TICK_OUTCOMES } from "../../format/states";
import { EmptyState } from "../../ui/empty-state";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import { StateBadge } from "../../ui/state-badge";
import { StateFilter } from "../../ui/state-filter";
import { columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import styles from "./schedules.module.css";

const PAGE_SIZE = 10;

const column = columnsOf<ScheduleTick>();
const columns = [
  column.display({
    id: "due",
    header: "Due",
    cell: ({ row }) => <Time iso={row.original.dueAt} full />,
  }),
  column.display({
    id: "outcome",
    header: "What came of it",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(TICK_OUTCOMES, row.original.outcome)} />,
  }),
  column.display({
    id: "detail",
    header: "Detail",
    meta: { narrow: "line" },
    cell: ({ row: { original: tick } }) => (
      <>
        {tick.detail && <bdi className={text.sentence}>{tick.detail}</bdi>}{" "}
        {tick.syncId && (
          <Link to="/syncs/$syncId" params={{ syncId: tick.syncId }}>
            View sync
          </Link>
        )}
      </>
    ),
  }),
];

/** The times at which a schedule was due, the last first, and what came of each. */
export function Ticks({ schedule }: { schedule: string }) {
  const [outcome, setOutcome] = useState<TickOutcome>();
  const [page, setPage] = useState(1);
  const ticks = useQuery(
    listTicks({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, { schedule, outcome }),
  );
  return (
    <section>
      <div className={styles.sectionHead}>
        <h3>Times it was due</h3>
        <StateFilter<TickOutcome>
          label="Outcome"
          allLabel="All outcomes"
          states={TICK_OUTCOMES}
          value={outcome}
          onChange={(next) => {
            setOutcome(next);
            setPage(1);
          }}
        />
      </div>
      <QueryResult query={ticks} lines={3}>
        {({ data, pagination }) =>
          pagination.total === 0 ? (
            <EmptyState title={outcome ? "No such times" : "Not due yet"}>
              Each time at which the schedule is due is listed here, with what came of it.
            </EmptyState>
          ) : (
            <>
              <Table
                label="Times it was due"
                columns={columns}
                data={data}
                rowKey={(tick) => `${tick.schedule} ${tick.dueAt}`}
              />
              <Pager page={page} pageSize={PAGE_SIZE} total={pagination} itemNoun="times" onPage={setPage} />
            </>
          )
        }
      </QueryResult>
    </section>
  );
}
