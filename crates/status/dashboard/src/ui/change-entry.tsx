import type { ReactNode } from "react";
import { plural } from "../format/numbers";
import styles from "./change-entry.module.css";
import text from "./text.module.css";

/** An entry of a list of changes: what was changed, in `aside` a state or a time, and below it the values. */
export function ChangeEntry(props: { title: ReactNode; aside: ReactNode; children: ReactNode }) {
  return (
    <li className={styles.entry}>
      <div className={styles.head}>
        <span>{props.title}</span>
        {props.aside}
      </div>
      {props.children}
    </li>
  );
}

/** Values of an entry that are shown without a click. */
const SHOWN_VALUES = 8;

/** The values of an entry. Many of them, or `isNew`, of which none was replaced, wait behind their number. */
export function ChangedValues(props: { count: number; noun: string; isNew?: boolean; children: ReactNode }) {
  const { count, noun, isNew = false, children } = props;
  if (count === 0) return null;
  if (!isNew && count <= SHOWN_VALUES) return children;
  return (
    <details>
      <summary className={text.summary}>{plural(count, noun)}</summary>
      {children}
    </details>
  );
}
