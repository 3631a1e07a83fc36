import type { Attempt } from "../api/types";
import { FAILURE_CLASSES, look } from "../format/states";
import { duration } from "../format/times";
import { Badge } from "./badge";
import { useNow } from "./clock";
import { Copy } from "./copyable-id";
import { type Column, Table } from "./table";
import { Time } from "./time";

const BEFORE: Column<Attempt>[] = [
  { key: "when", header: "When", cell: (attempt) => <Time iso={attempt.beganAt} full /> },
  {
    key: "class",
    header: "Class",
    narrow: "beside",
    cell: (attempt) => <Badge look={look(FAILURE_CLASSES, attempt.class)} />,
  },
];
const AFTER: Column<Attempt>[] = [
  { key: "number", header: "Attempt", figure: true, cell: (attempt) => attempt.number },
  { key: "took", header: "Took", figure: true, cell: (attempt) => duration(attempt.durationMs) },
  { key: "then", header: "Then", cell: (attempt) => <Then attempt={attempt} /> },
];

function Then({ attempt }: { attempt: Attempt }) {
  const now = useNow();
  const next = attempt.nextAttemptAt;
  if (!next) return "dead letter";
  return (
    <span className="one-line">
      {Date.parse(next) > now ? "again" : "tried again"} <Time iso={next} />
    </span>
  );
}

/** Failed attempts, newest first; `of` says at what, where they are not all at the same. */
export function AttemptTable({ attempts, of }: { attempts: Attempt[]; of?: "task" }) {
  const failure: Column<Attempt> = {
    key: "failure",
    header: "Failure",
    narrow: "line",
    cell: (attempt) => (
      <span className="two-lines">
        <span className="wraps first-up">{attempt.failure}</span>
        {of && (
          <span className="dim">
            {of} <Copy text={attempt.messageId} what={`${of} id`} />
          </span>
        )}
      </span>
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
