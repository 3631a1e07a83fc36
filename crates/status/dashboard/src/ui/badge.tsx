import type { Look } from "../format/states";
import { Icon } from "./icon";

/** A state: icon, word and tone together. */
export function Badge({ look }: { look: Look }) {
  return (
    <span className="badge" data-tone={look.tone}>
      <Icon name={look.icon} />
      {look.word}
    </span>
  );
}
