import type { ReactNode } from "react";
import styles from "./view-links.module.css";

/** Links between the views of a page, each with the props of `viewLink`. */
export function ViewLinks({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav aria-label={label} className={styles.views}>
      {children}
    </nav>
  );
}

/** Props of such a link. Which of them is the current one depends on the parameters that the link sets, not on filters. */
export const viewLink = {
  className: styles.view,
  activeOptions: { includeSearch: true, explicitUndefined: true },
};
