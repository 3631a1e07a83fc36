import type { Attempt } from "../api/types";
import { FAILURE_CLASSES, labelOf } from "../format/states";
import { formatDuration } from "../format/times";
import styles from "./attempt-table.module.css";
import { useNow } from "./clock";
import { CopyableId } from "./copyable-id";
import { StateBadge } from "./state-badge";
import { columnsOf, Table } from "./table";
import text from "./text.module.css";
import { Time } from "./time";
import { TwoLines } from "./two-lines";

const column = columnsOf<Attempt>();

const attemptColumns = (showTask: boolean) => [
  column.display({
    id: "started",
    header: "Started",
    cell: ({ row }) => <Time iso={row.original.beganAt} full />,
  }),
  column.display({
    id: "class",
    header: "Failure class",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(FAILURE_CLASSES, row.original.class)} />,
  }),
  column.display({
    id: "failure",
    header: "Failure",
    meta: { narrow: "line" },
    cell: ({ row }) => <Failure attempt={row.original} showTask={showTask} />,
  }),
  column.display({
    id: "number",
    header: "Attempt",
    meta: { figure: true },
    cell: ({ row }) => row.original.number,
  }),
  column.display({
    id: "duration",
    header: "Duration",
    meta: { figure: true },
    cell: ({ row }) => formatDuration(row.original.durationMs),
  }),
  column.display({
    id: "next",
    header: "Next",
    cell: ({ row }) => <NextAttempt attempt={row.original} />,
  }),
];

const COLUMNS = attemptColumns(false);
const COLUMNS_WITH_TASK = attemptColumns(true);

/** Failed attempts, newest first. `showTask` adds the task id, for attempts at several tasks. */
export function AttemptTable({ attempts, showTask = false }: { attempts: Attempt[]; showTask?: boolean }) {
  return (
    <Table
      label="Failed attempts"
      columns={showTask ? COLUMNS_WITH_TASK : COLUMNS}
      data={attempts}
      rowKey={attemptKey}
    />
  );
}

const attemptKey = (attempt: Attempt) => `${attempt.messageId} ${attempt.number} ${attempt.beganAt}`;

function Failure({ attempt, showTask }: { attempt: Attempt; showTask: boolean }) {
  const task = (
    <>
      task <CopyableId text={attempt.messageId} name="task ID" />
    </>
  );
  return (
    <TwoLines second={showTask && task}>
      <bdi className={`${text.sentence} ${styles.failure}`}>{attempt.failure}</bdi>
    </TwoLines>
  );
}

function NextAttempt({ attempt }: { attempt: Attempt }) {
  const now = useNow();
  const next = attempt.nextAttemptAt;
  if (!next) return "dead letter";
  return (
    <span className={text.oneLine}>
      {Date.parse(next) > now ? "retry" : "retried"} <Time iso={next} />
    </span>
  );
}
