import type { DiffRow } from "../format/diff-row";
import styles from "./diff-table.module.css";
import text from "./text.module.css";

/** The header of a column of values; null leaves the column out. */
type Header = string | null;

/** Values beside each other, a row for each. `isChange`: the first ones do not stand any more, and are struck through. */
export function DiffTable(props: {
  label: string;
  /** What the rows are: `Field`. */
  rowHeader: string;
  beforeHeader: Header;
  afterHeader: Header;
  isChange: boolean;
  rows: DiffRow[];
}) {
  const { label, rowHeader, beforeHeader, afterHeader, isChange, rows } = props;
  if (rows.length === 0) return null;
  return (
    <table className={styles.diff} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{rowHeader}</th>
          {beforeHeader && <th scope="col">{beforeHeader}</th>}
          {afterHeader && <th scope="col">{afterHeader}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, before, after }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {beforeHeader && (
              <td className={isChange && before !== null ? styles.before : undefined}>
                <DiffValue value={before} />
              </td>
            )}
            {afterHeader && (
              <td>
                <DiffValue value={after} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const DiffValue = ({ value }: { value: string | null }) =>
  value === null ? <span className={text.dim}>none</span> : <bdi className={text.breakAnywhere}>{value}</bdi>;
