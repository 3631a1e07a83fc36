import { type ReactNode, useMemo } from "react";
import type { RecordCounts, RecordType, SyncState } from "../api/types";
import { formatCount, plural } from "../format/numbers";
import { isComplete, isOpen, notReadText, OUTCOMES, recordTypeNames } from "../format/states";
import { outcomeSum, type Tally, tallyOf } from "../format/tally";
import { Icon } from "./icon";
import { columnsOf, Table } from "./table";
import styles from "./tally-table.module.css";
import text from "./text.module.css";
import { ToneCount } from "./tone-count";

const column = columnsOf<RecordCounts>();

type Outcome = (typeof OUTCOMES)[number]["key"];

/** Makes a number that is not zero a link to its records. */
export type CellLink = (cell: {
  outcome: Outcome;
  /** Undefined of the total. */
  recordType: RecordType | undefined;
  children: ReactNode;
}) => ReactNode;

/** The columns, with the total in their footers. */
const tallyColumns = (total: Tally["total"], state: SyncState, cellLink: CellLink) => [
  column.display({
    id: "recordType",
    header: "Records",
    meta: { rowHeader: true },
    cell: ({ row }) => recordTypeNames(row.original.recordType).many,
    footer: "All records",
  }),
  column.display({
    id: "expected",
    header: "Expected",
    meta: { figure: true },
    cell: ({ row }) => <ExpectedCount expected={row.original.expected} />,
    footer: () => <ExpectedCount expected={total.expected} />,
  }),
  column.display({
    id: "read",
    header: "Read",
    meta: { figure: true, className: text.strong },
    cell: ({ row }) => <ReadCount counts={row.original} state={state} />,
    footer: () => formatCount(total.read),
  }),
  ...OUTCOMES.map(({ key, word, tone }, index) => {
    const term = (value: number, recordType?: RecordType) => (
      <>
        <span className={styles.sign} aria-hidden>
          {index === 0 ? "=" : "+"}
        </span>
        {value === 0 ? (
          <ToneCount value={value} tone={tone} />
        ) : (
          cellLink({ outcome: key, recordType, children: <ToneCount value={value} tone={tone} /> })
        )}
      </>
    );
    return column.display({
      id: key,
      header: word,
      meta: { figure: true },
      cell: ({ row }) => term(row.original[key], row.original.recordType),
      footer: () => term(total[key]),
    });
  }),
];

function ExpectedCount({ expected }: { expected: number | null | undefined }) {
  return expected == null ? <span className={text.dim}>unknown</span> : formatCount(expected);
}

/** The number of records read; in words if no page was read. */
function ReadCount({ counts, state }: { counts: RecordCounts; state: SyncState }) {
  if (counts.reached || state === "completed") return formatCount(counts.read);
  return isOpen(state) ? (
    <span className={text.dim}>not yet</span>
  ) : (
    <span className={styles.unreached} data-tone="bad">
      not reached
    </span>
  );
}

/**
 * Record counts of a sync, per record type and in total, with their sum: read = created + updated + … `deadTasks`: tasks
 * that were given up, so that the counts have a hole.
 */
export function TallyTable(props: {
  counts: RecordCounts[];
  state: SyncState;
  deadTasks: number;
  /** Stable between renders. */
  cellLink?: CellLink;
}) {
  const { counts, state, deadTasks, cellLink = noLink } = props;
  const tally = useMemo(() => tallyOf(counts), [counts]);
  const columns = useMemo(() => tallyColumns(tally.total, state, cellLink), [tally, state, cellLink]);
  return (
    <>
      <Table
        label="Record counts"
        columns={columns}
        data={tally.rows}
        rowKey={(row) => row.recordType}
        footer={tally.rows.length > 1}
      />
      <TallySum tally={tally} state={state} deadTasks={deadTasks} />
    </>
  );
}

const noLink: CellLink = ({ children }) => children;

const SUM_ICONS = { good: "check", neutral: "equal", bad: "cross" } as const;

/** The sum in words. It is good only of a complete sync, if it balances and leaves nothing out. */
function TallySum({ tally, state, deadTasks }: { tally: Tally; state: SyncState; deadTasks: number }) {
  if (tally.rows.length === 0) return null;
  const { total, balanced, unread, unexpected } = tally;
  const terms = OUTCOMES.filter((outcome) => total[outcome.key] > 0);
  const leftOut = isOpen(state) || state === "completed" ? [] : tally.unreached;
  const hole = holeText(leftOut, deadTasks);
  const isBad = !balanced || hole !== "" || (isComplete(state) && (unread || unexpected));
  const tone = isBad ? "bad" : isComplete(state) ? "good" : "neutral";
  return (
    <p className={styles.sum} data-tone={tone}>
      <Icon name={SUM_ICONS[tone]} />
      <span>
        read {formatCount(total.read)} ={" "}
        {terms.map(({ key, word }) => `${word.toLowerCase()} ${formatCount(total[key])}`).join(" + ") || "0"}
        {!balanced && ` (the outcomes add up to ${formatCount(outcomeSum(total))})`}
        {balanced && isComplete(state) && expectedText(tally, hole !== "")}
        {hole}
        {total.missing > 0 &&
          `. No longer in the onboarding portal: ${plural(total.missing, "record")}, ${formatCount(total.deactivated)} of them deactivated`}
      </span>
    </p>
  );
}

/** What an ended sync has left out: `; Equipment was not read; 2 tasks were given up`. */
const holeText = (unreached: RecordType[], deadTasks: number): string =>
  [
    ...unreached.map(notReadText),
    ...(deadTasks > 0 ? [`${plural(deadTasks, "task")} ${deadTasks === 1 ? "was" : "were"} given up`] : []),
  ]
    .map((part) => `; ${part}`)
    .join("");

/** How the number read compares with the number that the onboarding portal reported. */
function expectedText({ total, unread, unexpected }: Tally, hasHole: boolean): string {
  const differences = [
    ...(unread ? [`; ${plural(unread, "expected record")} not read`] : []),
    ...(unexpected ? [`; ${plural(unexpected, "record")} more than expected`] : []),
  ];
  if (differences.length > 0) return differences.join("");
  if (total.expected === null || hasHole) return "";
  return total.late > 0
    ? `, as expected; ${plural(total.late, "record")} changed during the sync and may be counted twice`
    : ", as expected";
}
