import { useEffect, useState } from "react";
import styles from "./filter-bar.module.css";

/** A pause in typing after which the list is narrowed, in ms. */
const TYPING_DELAY = 400;

/** Narrows a list by a text, after Enter or a pause in typing. */
export function TextFilter(props: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const { label, value, onChange } = props;
  const [typed, setTyped] = useState(value ?? "");
  useEffect(() => setTyped(value ?? ""), [value]);
  const apply = (text: string) => {
    const next = text.trim() || undefined;
    if (next !== value) onChange(next);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed starts the delay
  useEffect(() => {
    const timer = setTimeout(() => apply(typed), TYPING_DELAY);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      className={styles.input}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Enter" && apply(typed)}
    />
  );
}
