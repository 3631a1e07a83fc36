import type { ReactNode } from "react";
import type { Tone } from "../format/states";
import styles from "./note.module.css";

/** A tinted box for a message within a page. `label` makes it a named region. */
export function Note(props: {
  tone: Tone;
  title?: string;
  actions?: ReactNode;
  role?: "alert" | "status";
  label?: string;
  className?: string | undefined;
  children?: ReactNode;
}) {
  const { tone, title, actions, role, label, className = "", children } = props;
  const box = { className: `${styles.note} ${className}`, "data-tone": tone };
  const content = (
    <>
      <div>
        {title && <p className={styles.title}>{title}</p>}
        {children}
      </div>
      {actions}
    </>
  );
  return label ? (
    <section {...box} aria-label={label}>
      {content}
    </section>
  ) : (
    <div {...box} role={role}>
      {content}
    </div>
  );
}
