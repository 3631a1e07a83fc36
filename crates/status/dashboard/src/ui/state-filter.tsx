import { NativeSelect } from "@mantine/core";
import type { StateLabel } from "../format/states";

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
    <NativeSelect
      aria-label={props.label ?? "State"}
      value={props.value ?? ""}
      onChange={(event) => props.onChange((event.currentTarget.value || undefined) as S | undefined)}
      data={[
        { value: "", label: props.allLabel ?? "All states" },
        ...states.map(([value, { word }]) => ({ value, label: word })),
      ]}
    />
  );
}
