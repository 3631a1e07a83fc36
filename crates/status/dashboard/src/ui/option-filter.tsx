import { NativeSelect } from "@mantine/core";

/** Selects one value to which a list is narrowed. */
export function OptionFilter<V extends string>(props: {
  label: string;
  allLabel: string;
  options: { value: V; label: string }[];
  value: V | undefined;
  onChange: (value: V | undefined) => void;
}) {
  return (
    <NativeSelect
      aria-label={props.label}
      value={props.value ?? ""}
      onChange={(event) => props.onChange((event.currentTarget.value || undefined) as V | undefined)}
      data={[{ value: "", label: props.allLabel }, ...props.options]}
    />
  );
}
