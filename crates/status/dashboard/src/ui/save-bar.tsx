import type { ReactNode } from "react";
import styles from "./save-bar.module.css";
import text from "./text.module.css";

/** The state of the form and its buttons; sticks to the bottom of the window while there are unsaved changes. */
export function SaveBar(props: { isDirty: boolean; status: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.saveBar} data-dirty={props.isDirty || undefined}>
      <span className={text.dim}>{props.status}</span>
      {props.children}
    </div>
  );
}
