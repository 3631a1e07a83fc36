import { TextInput } from "@mantine/core";
import { useState } from "react";

/** Longest reason that the service keeps, in UTF-16 units, as a field counts them. */
const REASON_LENGTH = 500;

/** Why an operator does something, in the operator's own words. */
export function ReasonField(props: {
  description?: string;
  value: string;
  onChange: (reason: string) => void;
  error: string | undefined;
}) {
  return (
    <TextInput
      label="Reason"
      description={props.description}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      error={props.error}
      maxLength={REASON_LENGTH}
      autoComplete="off"
    />
  );
}

/** The state of a reason that must be given. `missing`: what an operator is told who has given none. */
export function useRequiredReason(missing: string) {
  const [value, setValue] = useState("");
  const [error, setError] = useState<string>();
  return {
    value,
    error,
    onChange: (reason: string) => {
      setValue(reason);
      setError(undefined);
    },
    /** The reason; undefined without one, which the field then says. */
    check: (): string | undefined => {
      const reason = value.trim() || undefined;
      setError(reason ? undefined : missing);
      return reason;
    },
    forgetError: () => setError(undefined),
  };
}
