import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./filter-bar.module.css";

/** The filters of a list, with a button that clears them. */
export function FilterBar(props: { isFiltered: boolean; onClear: () => void; children: ReactNode }) {
  return (
    <search aria-label="Filters" className={styles.bar}>
      {props.children}
      {props.isFiltered && (
        <Button size="sm" variant="default" onClick={props.onClear}>
          Clear filters
        </Button>
      )}
    </search>
  );
}
