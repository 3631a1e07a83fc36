import type { Attempt } from "../api/types";
import { FAILURE_CLASSES, look } from "../format/states";
import { duration } from "../format/times";
import { Badge } from "./badge";
import { type Column, Table } from "./table";
import { Time } from "./time";

const COLUMNS: Column<Attempt>[] = [
  { key: "when", header: "When", cell: (attempt) => <Time iso={attempt.beganAt} full /> },
  { key: "number", header: "Attempt", figure: true, cell: (attempt) => attempt.number },
  { key: "class", header: "Class", cell: (attempt) => <Badge look={look(FAILURE_CLASSES, attempt.class)} /> },
  { key: "failure", header: "Failure", cell: (attempt) => <span className="wraps">{attempt.failure}</span> },
  { key: "took", header: "Took", figure: true, cell: (attempt) => duration(attempt.durationMs) },
  {
    key: "next",
    header: "Then",
    cell: (attempt) =>
      attempt.nextAttemptAt ? (
        <span>
          again <Time iso={attempt.nextAttemptAt} />
        </span>
      ) : (
        "dead letter"
      ),
  },
];

/** Failed attempts, newest first. */
export function AttemptTable({ attempts }: { attempts: Attempt[] }) {
  return (
    <Table
      label="Failed attempts"
      columns={COLUMNS}
      rows={attempts}
      rowKey={(attempt) => `${attempt.messageId} ${attempt.number} ${attempt.beganAt}`}
    />
  );
}
