import { useMemo } from "react";
import type { RecordCounts, SyncState } from "../api/types";
import { formatCount, plural } from "../format/numbers";
import { isComplete, OUTCOMES, RECORD_TYPES } from "../format/states";
import { outcomeSum, type Tally, tallyOf } from "../format/tally";
import { Icon } from "./icon";
import { columnsOf, Table } from "./table";
import styles from "./tally-table.module.css";
import text from "./text.module.css";
import { ToneCount } from "./tone-count";

const column = columnsOf<RecordCounts>();

/** The columns, with the total in their footers. */
const tallyColumns = (total: Tally["total"]) => [
  column.display({
    id: "recordType",
    header: "Records",
    meta: { rowHeader: true },
    cell: ({ row }) => RECORD_TYPES[row.original.recordType].many,
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
    cell: ({ row }) => formatCount(row.original.read),
    footer: () => formatCount(total.read),
  }),
  ...OUTCOMES.map(({ key, word, tone }, index) => {
    const term = (value: number) => (
      <>
        <span className={styles.sign} aria-hidden>
          {index === 0 ? "=" : "+"}
        </span>
        <ToneCount value={value} tone={tone} />
      </>
    );
    return column.display({
      id: key,
      header: word,
      meta: { figure: true },
      cell: ({ row }) => term(row.original[key]),
      footer: () => term(total[key]),
    });
  }),
];

function ExpectedCount({ expected }: { expected: number | null | undefined }) {
  return expected == null ? <span className={text.dim}>unknown</span> : formatCount(expected);
}

/** Record counts of a sync, per record type and in total, with their sum: read = created + updated + … */
export function TallyTable({ counts, state }: { counts: RecordCounts[]; state: SyncState }) {
  const tally = useMemo(() => tallyOf(counts), [counts]);
  const columns = useMemo(() => tallyColumns(tally.total), [tally]);
  return (
    <>
      <Table
        label="Record counts"
        columns={columns}
        data={tally.rows}
        rowKey={(row) => row.recordType}
        footer={tally.rows.length > 1}
      />
      <TallySum tally={tally} isComplete={isComplete(state)} />
    </>
  );
}

/** The sum in words. Once the sync is complete, the number read must be the number expected. */
function TallySum({ tally, isComplete }: { tally: Tally; isComplete: boolean }) {
  if (tally.rows.length === 0) return null;
  const { total, balanced, unread, unexpected } = tally;
  const terms = OUTCOMES.filter((outcome) => total[outcome.key] > 0);
  const isGood = balanced && (!isComplete || (!unread && !unexpected));
  return (
    <p className={styles.sum} data-tone={isGood ? "good" : "bad"}>
      <Icon name={isGood ? "check" : "cross"} />
      <span>
        read {formatCount(total.read)} ={" "}
        {terms.map(({ key, word }) => `${word.toLowerCase()} ${formatCount(total[key])}`).join(" + ") || "0"}
        {!balanced && ` (the outcomes add up to ${formatCount(outcomeSum(total))})`}
        {balanced && isComplete && expectedText(tally)}
        {total.missing > 0 &&
          `. No longer in the onboarding portal: ${plural(total.missing, "record")}, ${formatCount(total.deactivated)} of them deactivated`}
      </span>
    </p>
  );
}

/** How the number read compares with the number that the onboarding portal reported. */
function expectedText({ total, unread, unexpected }: Tally): string {
  if (unread === null || unexpected === null) return "";
  if (unread === 0 && unexpected === 0) {
    return total.late > 0
      ? `, as expected; ${plural(total.late, "record")} changed during the sync and may be counted twice`
      : ", as expected";
  }
  return [
    unread > 0 ? `; ${plural(unread, "expected record")} not read` : "",
    unexpected > 0 ? `; ${plural(unexpected, "record")} more than expected` : "",
  ].join("");
}
