import type { RecordCounts, SyncState } from "../api/types";
import { formatCount, plural } from "../format/numbers";
import { isComplete, OUTCOMES, RECORD_TYPES } from "../format/states";
import { outcomeSum, type Tally, tallyOf } from "../format/tally";
import { Icon } from "./icon";
import table from "./table.module.css";
import styles from "./tally-table.module.css";
import text from "./text.module.css";
import { ToneCount } from "./tone-count";

/** Record counts of a sync, per record type and in total, with their sum: read = created + updated + … */
export function TallyTable({ counts, state }: { counts: RecordCounts[]; state: SyncState }) {
  const tally = tallyOf(counts);
  return (
    <>
      <div className={table.scroll}>
        <table className={table.table} aria-label="Record counts">
          <thead>
            <tr>
              <th scope="col">Records</th>
              <th scope="col" data-figure>
                Expected
              </th>
              <th scope="col" data-figure>
                Read
              </th>
              {OUTCOMES.map((outcome) => (
                <th key={outcome.key} scope="col" data-figure>
                  {outcome.word}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {tally.rows.map((row) => (
              <TallyRow key={row.recordType} name={RECORD_TYPES[row.recordType].many} row={row} />
            ))}
          </tbody>
          {tally.rows.length > 1 && (
            <tfoot>
              <TallyRow name="All records" row={tally.total} />
            </tfoot>
          )}
        </table>
      </div>
      <TallySum tally={tally} isComplete={isComplete(state)} />
    </>
  );
}

function TallyRow({ name, row }: { name: string; row: Omit<RecordCounts, "recordType"> }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-figure data-label="Expected">
        {row.expected == null ? <span className={text.dim}>unknown</span> : formatCount(row.expected)}
      </td>
      <td data-figure data-label="Read" className={text.strong}>
        {formatCount(row.read)}
      </td>
      {OUTCOMES.map(({ key, word, tone }, index) => (
        <td key={key} data-figure data-label={word} className={styles.term}>
          <span className={styles.sign} aria-hidden>
            {index === 0 ? "=" : "+"}
          </span>
          <ToneCount value={row[key]} tone={tone} />
        </td>
      ))}
    </tr>
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
