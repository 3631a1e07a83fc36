import type { StateLabel } from "../format/states";
import { Icon } from "./icon";

export function StateBadge({ label }: { label: StateLabel }) {
  return (
    <span className="badge" data-tone={label.tone}>
      <Icon name={label.icon} />
      {label.word}
    </span>
  );
}
