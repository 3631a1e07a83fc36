import styles from "./charts.module.css";

/** The class of a chart, and of the empty place that waits for it. */
export const chartClass = (isSmall: boolean): string =>
  isSmall ? `${styles.chart} ${styles.small}` : (styles.chart ?? "");
