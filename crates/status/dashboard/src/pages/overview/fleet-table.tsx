import type { Overview, ValidationReport } from "../../api/types";
import { formatCount } from "../../format/numbers";
import { RECORD_TYPE_ORDER, recordTypeNames } from "../../format/states";
import text from "../../ui/text.module.css";
import { ToneCount } from "../../ui/tone-count";
import styles from "./fleet-table.module.css";

/** A number that the service did not send is not zero. */
const UNKNOWN = <span className={text.dim}>unknown</span>;

/** Per record type: active records in the maintenance portal, and how many records have findings. */
export function FleetTable({ overview, report }: { overview: Overview; report: ValidationReport }) {
  return (
    <div className={styles.scroll}>
      <table className={styles.fleet} aria-label="Records in the maintenance portal">
        <thead>
          <tr>
            <th scope="col">Records</th>
            <th scope="col">Active</th>
            <th scope="col">Rejected</th>
            <th scope="col">Warnings</th>
          </tr>
        </thead>
        <tbody>
          {RECORD_TYPE_ORDER.map((type) => {
            const active = overview.fleet.find((count) => count.recordType === type)?.active;
            const quality = report.records.find((row) => row.recordType === type);
            return (
              <tr key={type}>
                <th scope="row">{recordTypeNames(type).many}</th>
                <td className={styles.active}>{active === undefined ? UNKNOWN : formatCount(active)}</td>
                <td>{quality ? <ToneCount value={quality.withErrors} tone="bad" /> : UNKNOWN}</td>
                <td>{quality ? <ToneCount value={quality.withWarnings} tone="warn" /> : UNKNOWN}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
