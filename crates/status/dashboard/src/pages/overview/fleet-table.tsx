import type { Overview, ValidationReport } from "../../api/types";
import { count } from "../../format/numbers";
import { RECORD_TYPE_ORDER, RECORD_TYPES, type Tone } from "../../format/states";

/** Per kind of record, how many the maintenance portal has, and how many have something standing about them. */
export function Fleet({ overview, standing }: { overview: Overview; standing: ValidationReport }) {
  return (
    <div className="table-scroll">
      <table className="fleet" aria-label="In the maintenance portal">
        <thead>
          <tr>
            <th scope="col">Records</th>
            <th scope="col" data-figure>
              Active
            </th>
            <th scope="col" data-figure>
              Rejected
            </th>
            <th scope="col" data-figure>
              Warnings
            </th>
          </tr>
        </thead>
        <tbody>
          {RECORD_TYPE_ORDER.map((type) => {
            const quality = standing.records.find((row) => row.recordType === type);
            return (
              <tr key={type}>
                <th scope="row">{RECORD_TYPES[type].many}</th>
                <td data-figure className="fleet-active">
                  {count(overview.fleet.find((f) => f.recordType === type)?.active ?? 0)}
                </td>
                <Figure value={quality?.withErrors ?? 0} tone="bad" />
                <Figure value={quality?.withWarnings ?? 0} tone="warn" />
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
