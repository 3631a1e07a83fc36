import type { Attempt } from "../api/types";
import { FAILURE_CLASSES, labelOf } from "../format/states";
import { formatDuration } from "../format/times";
import styles from "./attempt-table.module.css";
import { useNow } from "./clock";
import { CopyableId } from "./copyable-id";
import { StateBadge } from "./state-badge";
import { type Column, Table } from "./table";
import text from "./text.module.css";
import { Time } from "./time";
import { TwoLines } from "./two-lines";

const BEFORE: Column<Attempt>[] = [
  { key: "started", header: "Started", cell: (attempt) => <Time iso={attempt.beganAt} full /> },
  {
    key: "class",
    header: "Failure class",
    narrow: "beside",
    cell: (attempt) => <StateBadge label={labelOf(FAILURE_CLASSES, attempt.class)} />,
  },
];
const AFTER: Column<Attempt>[] = [
  { key: "number", header: "Attempt", figure: true, cell: (attempt) => attempt.number },
  { key: "took", header: "Duration", figure: true, cell: (attempt) => formatDuration(attempt.durationMs) },
  { key: "next", header: "Next", cell: (attempt) => <NextAttempt attempt={attempt} /> },
];

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

/** Failed attempts, newest first. `showTask` adds the task id, for attempts at several tasks. */
export function AttemptTable({ attempts, showTask = false }: { attempts: Attempt[]; showTask?: boolean }) {
  const failure: Column<Attempt> = {
    key: "failure",
    header: "Failure",
    narrow: "line",
    cell: (attempt) => (
      <TwoLines
        second={
          showTask && (
            <>
              task <CopyableId text={attempt.messageId} name="task ID" />
            </>
          )
        }
      >
        <span className={`${text.sentence} ${styles.failure}`}>{attempt.failure}</span>
      </TwoLines>
    ),
  };
  return (
    <Table
      label="Failed attempts"
      columns={[...BEFORE, failure, ...AFTER]}
      rows={attempts}
      rowKey={(attempt) => `${attempt.messageId} ${attempt.number} ${attempt.beganAt}`}
    />
  );
}
