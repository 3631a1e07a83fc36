import { formatCount } from "../format/numbers";
import type { Tone } from "../format/states";
import styles from "./tone-count.module.css";

/** A number in the colour of its tone; a zero is dimmed. */
export function ToneCount({ value, tone }: { value: number; tone: Tone }) {
  return (
    <span
      className={value === 0 ? styles.zero : styles.count}
      data-tone={value === 0 ? undefined : tone}
      data-zero={value === 0 || undefined}
    >
      {formatCount(value)}
    </span>
  );
}
