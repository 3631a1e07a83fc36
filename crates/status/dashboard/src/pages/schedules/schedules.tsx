import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { listSchedules } from "../../api/queries/schedules";
import { useHasRole } from "../../api/session";
import type { Schedule, ScheduleList } from "../../api/types";
import {
  definitionOf,
  nextRunAt,
  scheduleKind,
  scheduleState,
  schedulesStatus,
  scheduleWords,
} from "../../format/schedule";
import { labelOf, TICK_OUTCOMES } from "../../format/states";
import { formatScheduledTime } from "../../format/times";
import { useNow } from "../../ui/clock";
import { Drawer } from "../../ui/drawer";
import { EmptyState } from "../../ui/empty-state";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { StateBadge } from "../../ui/state-badge";
import { StatusBanner } from "../../ui/status-banner";
import { columnsOf, rowLink, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { TwoLines } from "../../ui/two-lines";
import { ScheduleDetails } from "./details";
import { ScheduleForm } from "./schedule-form";
import styles from "./schedules.module.css";

const route = getRouteApi("/schedules");

const column = columnsOf<Schedule>();
const columns = [
  column.display({
    id: "schedule",
    header: "Schedule",
    cell: ({ row: { original: schedule } }) => (
      <TwoLines second={scheduleKind(definitionOf(schedule))}>
        <Link
          from="/schedules"
          to="/schedules"
          search={(old) => ({ ...old, open: schedule.name })}
          {...rowLink}
        >
          {schedule.name}
        </Link>
      </TwoLines>
    ),
  }),
  column.display({
    id: "state",
    header: "State",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={scheduleState(row.original)} />,
  }),
  column.display({
    id: "when",
    header: "When",
    meta: { narrow: "line" },
    cell: ({ row: { original: schedule } }) => (
      <TwoLines second={schedule.timeZone}>{scheduleWords(schedule)}</TwoLines>
    ),
  }),
  column.display({
    id: "next",
    header: "Next",
    cell: ({ row }) => <NextRun schedule={row.original} />,
  }),
  column.display({
    id: "last",
    header: "Last time",
    cell: ({ row }) => <LastTick schedule={row.original} />,
  }),
];

/** When it comes next, in its own zone and in UTC. */
function NextRun({ schedule: { nextRunAt, pause, timeZone = "UTC" } }: { schedule: Schedule }) {
  const now = useNow();
  if (!nextRunAt) return <span className={text.dim}>{pause ? "when it is resumed" : "not planned"}</span>;
  const isUtc = timeZone === "UTC";
  return (
    <TwoLines
      second={
        <>
          {!isUtc && <>{formatScheduledTime(nextRunAt, "UTC", now)} UTC, </>}
          <Time iso={nextRunAt} />
        </>
      }
    >
      {formatScheduledTime(nextRunAt, timeZone, now)}
    </TwoLines>
  );
}

function LastTick({ schedule: { lastTick } }: { schedule: Schedule }) {
  if (!lastTick) return <span className={text.dim}>not due yet</span>;
  return (
    <TwoLines second={<Time iso={lastTick.dueAt} full />}>
      <StateBadge label={labelOf(TICK_OUTCOMES, lastTick.outcome)} />
    </TwoLines>
  );
}

/** What starts syncs by itself, when, and what came of it. */
export function SchedulesPage() {
  const navigate = route.useNavigate();
  const isAdmin = useHasRole("admin");
  const schedules = useQuery(listSchedules());
  return (
    <Page
      title="Schedules"
      actions={
        isAdmin && (
          <Button onClick={() => navigate({ search: keepZone({ form: "new" }) })}>Add schedule</Button>
        )
      }
    >
      <QueryResult query={schedules} lines={6}>
        {(list) => <Schedules list={list} />}
      </QueryResult>
    </Page>
  );
}

type Search = ReturnType<typeof route.useSearch>;
const keepZone =
  (next: Omit<Search, "zone">) =>
  ({ zone }: Search): Search => ({ ...next, ...(zone ? { zone } : {}) });

function Schedules({ list }: { list: ScheduleList }) {
  const { open, form } = route.useSearch();
  const navigate = route.useNavigate();
  const isAdmin = useHasRole("admin");
  const opened = list.data.find(({ name }) => name === open);
  const close = () => navigate({ search: keepZone({}), resetScroll: false });
  const show = (name: string) =>
    navigate({ search: keepZone({ open: name }), resetScroll: false, ignoreBlocker: true });
  const next = nextRunAt(list);
  const isForm = isAdmin && (form === "new" || (form === "edit" && opened !== undefined));
  return (
    <>
      <StatusBanner
        status={schedulesStatus(list)}
        {...(next ? { figure: { value: <Time iso={next} />, unit: "next sync" } } : {})}
      />
      <div className={styles.panel}>
        <Table label="Schedules" columns={columns} data={list.data} rowKey={({ name }) => name} linked />
      </div>
      <Drawer
        opened={open !== undefined || isForm}
        title={form === "new" ? "Add schedule" : isForm ? `Edit ${open}` : (open ?? "")}
        onClose={close}
      >
        {isForm ? (
          <ScheduleForm
            key={form === "new" ? "new" : opened?.name}
            schedule={form === "new" ? undefined : opened}
            presets={list.presets}
            onSaved={show}
            onCancel={() => (form === "new" ? close() : navigate({ search: keepZone({ open }) }))}
          />
        ) : opened ? (
          <ScheduleDetails
            key={opened.name}
            schedule={opened}
            onEdit={() => navigate({ search: (old) => ({ ...old, form: "edit" }), resetScroll: false })}
            onDeleted={close}
          />
        ) : (
          open && (
            <EmptyState framed title={`No schedule ${open}`}>
              It was deleted, or the address is wrong.
            </EmptyState>
          )
        )}
      </Drawer>
    </>
  );
}
