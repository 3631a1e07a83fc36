import styles from "./scrollable-text.module.css";

/** A text of any length, such as a message's body, in a region that scrolls. */
export function ScrollableText({ label, children }: { label: string; children: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable text must be reachable by keyboard
    <section tabIndex={0} aria-label={label} className={styles.scroll}>
      <pre>{children}</pre>
    </section>
  );
}
