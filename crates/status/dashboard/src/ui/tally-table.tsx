import { Fragment } from "react";
import type { RecordCounts, SyncState } from "../api/types";
import { count, plural } from "../format/numbers";
import { isWhole, OUTCOMES, RECORD_TYPES } from "../format/states";
import { type Account, account, sumOfOutcomes } from "../format/tally";
import { Icon } from "./icon";

/** The account of a run: read = created + updated + … for every kind of record and in all. */
export function AccountTable({ counts, state }: { counts: RecordCounts[]; state: SyncState }) {
  const sum = account(counts);
  return (
    <>
      <div className="table-scroll">
        <table className="account" aria-label="Account of the records">
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
            {sum.rows.map((row) => (
              <Line key={row.recordType} name={RECORD_TYPES[row.recordType].many} row={row} />
            ))}
          </tbody>
          {sum.rows.length > 1 && (
            <tfoot>
              <Line name="All records" row={sum.total} />
            </tfoot>
          )}
        </table>
      </div>
      <Check sum={sum} whole={isWhole(state)} />
    </>
  );
}

function Line({ name, row }: { name: string; row: Omit<RecordCounts, "recordType"> }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-figure data-label="Expected">
        {row.expected == null ? <span className="dim">not told</span> : count(row.expected)}
      </td>
      <td data-figure data-label="Read" className="strong">
        {count(row.read)}
      </td>
      {OUTCOMES.map((outcome, place) => {
        const value = row[outcome.key];
        return (
          <td key={outcome.key} data-figure data-label={outcome.word} className="term">
            <span className="sign" aria-hidden>
              {place === 0 ? "=" : "+"}
            </span>
            <span
              className={value === 0 ? "zero" : "value"}
              data-tone={value === 0 ? undefined : outcome.tone}
            >
              {count(value)}
            </span>
          </td>
        );
      })}
    </tr>
  );
}

/** `whole`: the run came to its end, so that what was announced must have been read. */
function Check({ sum, whole }: { sum: Account; whole: boolean }) {
  if (sum.rows.length === 0) return null;
  const { total, unread, unannounced } = sum;
  const terms = OUTCOMES.filter((outcome) => total[outcome.key] > 0);
  const good = sum.sums && (!whole || (!unread && !unannounced));
  return (
    <p className="account-sum" data-tone={good ? "good" : "bad"}>
      <Icon name={good ? "check" : "cross"} />
      <span>
        read {count(total.read)} ={" "}
        {terms.length === 0
          ? "0"
          : terms.map((outcome, place) => (
              <Fragment key={outcome.key}>
                {place > 0 && " + "}
                {outcome.word.toLowerCase()} {count(total[outcome.key])}
              </Fragment>
            ))}
        {!sum.sums && ` (the outcomes make ${count(sumOfOutcomes(total))})`}
        {sum.sums &&
          whole &&
          unread !== null &&
          unread > 0 &&
          `; ${plural(unread, "record")} announced, not read`}
        {sum.sums &&
          whole &&
          unannounced !== null &&
          unannounced > 0 &&
          `; ${plural(unannounced, "record")} more than announced`}
        {sum.sums && whole && unread === 0 && unannounced === 0 && (
          <>
            , as many as the onboarding portal announced
            {total.late > 0 && `; ${plural(total.late, "record")} had changed since, and may be read twice`}
          </>
        )}
        {total.gone > 0 &&
          `. Not listed any more: ${plural(total.gone, "record")}, of which ${count(total.deactivated)} deactivated`}
      </span>
    </p>
  );
}
