import { formatCount } from "../format/numbers";
import type { Tone } from "../format/states";

/** A number in the colour of its tone; a zero is dimmed. */
export function ToneCount({ value, tone }: { value: number; tone: Tone }) {
  return (
    <span className={value === 0 ? "zero" : "value"} data-tone={value === 0 ? undefined : tone}>
      {formatCount(value)}
    </span>
  );
}
