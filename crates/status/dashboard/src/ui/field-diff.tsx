import { fieldLabel, fieldValue, orderedFields } from "../format/record-fields";
import styles from "./field-diff.module.css";
import text from "./text.module.css";

type Values = Record<string, unknown>;

/**
 * The fields that changed, each with its value before and after. `before` absent: the record is new. `after` absent: what
 * stands now is not known.
 */
export function FieldDiff(props: {
  label: string;
  before: Values | null | undefined;
  after: Values | null | undefined;
  /** Names of two sides of which none came first. */
  beforeLabel?: string;
  afterLabel?: string;
}) {
  const { label, before, after, beforeLabel, afterLabel = "After" } = props;
  const names = orderedFields({ ...before, ...after }).map(([name]) => name);
  if (names.length === 0) return null;
  return (
    <table className={styles.diff} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Field</th>
          {before && <th scope="col">{beforeLabel ?? "Before"}</th>}
          {after && <th scope="col">{afterLabel}</th>}
        </tr>
      </thead>
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">{fieldLabel(name)}</th>
            {before && (
              <td className={beforeLabel ? undefined : styles.before}>
                <DiffValue name={name} value={before[name]} />
              </td>
            )}
            {after && (
              <td>
                <DiffValue name={name} value={after[name]} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function DiffValue({ name, value }: { name: string; value: unknown }) {
  const shown = fieldValue(name, value);
  return shown === null ? (
    <span className={text.dim}>none</span>
  ) : (
    <bdi className={text.breakAnywhere}>{shown}</bdi>
  );
}
