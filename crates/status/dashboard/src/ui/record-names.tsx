import { plural } from "../format/numbers";
import styles from "./record-names.module.css";
import text from "./text.module.css";

/** The records that an action concerns, by name; `total` counts also those that are not listed. Absent without names. */
export function RecordNames({ names, total }: { names: string[]; total: number }) {
  if (names.length === 0) return null;
  const others = total - names.length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard
    <section tabIndex={0} aria-label="Records" className={styles.names}>
      <ul>
        {names.map((name, at) => (
          // Two of them may have one name, and none of them moves.
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          <li key={at}>
            <bdi>{name}</bdi>
          </li>
        ))}
      </ul>
      {others > 0 && <p className={text.dim}>and {plural(others, "other")}</p>}
    </section>
  );
}
