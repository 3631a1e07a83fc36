import type { Overview } from "../../api/types";
import { count } from "../../format/numbers";
import { RECORD_TYPE_ORDER, RECORD_TYPES, type Tone } from "../../format/states";

/** Per kind of record, what the maintenance portal has and what the last full sync did to it. */
export function Fleet({ overview }: { overview: Overview }) {
  const last = overview.lastFullSync?.counts ?? [];
  return (
    <div className="table-scroll">
      <table className="fleet" aria-label="In the maintenance portal">
        <thead>
          <tr>
            <th scope="col">Records</th>
            <th scope="col" data-figure>
              Active
            </th>
            {last.length > 0 && (
              <>
                <th scope="col" data-figure>
                  Changed
                </th>
                <th scope="col" data-figure>
                  Rejected
                </th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {RECORD_TYPE_ORDER.map((type) => {
            const counts = last.find((row) => row.recordType === type);
            return (
              <tr key={type}>
                <th scope="row">{RECORD_TYPES[type].many}</th>
                <td data-figure className="fleet-active">
                  {count(overview.fleet.find((f) => f.recordType === type)?.active ?? 0)}
                </td>
                {last.length > 0 && (
                  <>
                    <Figure value={(counts?.created ?? 0) + (counts?.updated ?? 0)} tone="info" />
                    <Figure value={counts?.rejected ?? 0} tone="bad" />
                  </>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Figure({ value, tone }: { value: number; tone: Tone }) {
  return (
    <td data-figure>
      <span className={value === 0 ? "zero" : "value"} data-tone={tone}>
        {count(value)}
      </span>
    </td>
  );
}
