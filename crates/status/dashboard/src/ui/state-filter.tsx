import { NativeSelect } from "@mantine/core";
import type { Look } from "../format/states";

/** Narrows a list to one state; the choice stands in the URL. */
export function StateFilter<S extends string>(props: {
  /** What is chosen, and what the choice of all is called. */
  label?: string;
  all?: string;
  states: Record<S, Look>;
  value: S | undefined;
  onChange: (state: S | undefined) => void;
}) {
  const states = Object.entries(props.states) as [S, Look][];
  return (
    <NativeSelect
      aria-label={props.label ?? "State"}
      value={props.value ?? ""}
      onChange={(event) => props.onChange((event.currentTarget.value || undefined) as S | undefined)}
      data={[
        { value: "", label: props.all ?? "All states" },
        ...states.map(([value, { word }]) => ({ value, label: word })),
      ]}
    />
  );
}
