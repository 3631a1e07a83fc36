import type { StateLabel } from "../format/states";
import { OptionFilter } from "./option-filter";

/** Selects the one state to which a list is narrowed. */
export function StateFilter<S extends string>(props: {
  label?: string;
  allLabel?: string;
  states: Record<S, StateLabel>;
  value: S | undefined;
  onChange: (state: S | undefined) => void;
}) {
  const states = Object.entries(props.states) as [S, StateLabel][];
  return (
    <OptionFilter
      label={props.label ?? "State"}
      allLabel={props.allLabel ?? "All states"}
      options={states.map(([value, { word }]) => ({ value, label: word }))}
      value={props.value}
      onChange={props.onChange}
    />
  );
}
