import { MultiSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { SEARCH_MIN_LENGTH, searchAll } from "../api/queries/search";
import type { SearchHit } from "../api/types";

type Kind = "vessel" | "company" | "equipment";

/** What a request names a record by: a vessel by its IMO number, others by their id in the onboarding portal. */
function keyOf(kind: Kind, hit: SearchHit): string | undefined {
  if (kind !== "vessel") return hit.id;
  // The service has the IMO number of a hit in its title alone.
  return /IMO\s(\d{7})$/.exec(hit.title)?.[1];
}

const NOUNS: Record<Kind, { one: string; many: string }> = {
  vessel: { one: "vessel", many: "vessels" },
  company: { one: "company", many: "companies" },
  equipment: { one: "equipment item", many: "equipment" },
};

/** A pause in typing after which the service is asked, in ms. */
const TYPING_DELAY = 200;

/** Picks records by search: vessels by name or IMO number. The value are the keys by which requests name the records. */
export function RecordPicker(props: {
  kind: Kind;
  label: string;
  description?: string;
  value: string[];
  onChange: (keys: string[]) => void;
  max?: number;
  error?: string | undefined;
  disabled?: boolean;
}) {
  const { kind, value, onChange, max = 500 } = props;
  const [typed, setTyped] = useState("");
  const [text] = useDebouncedValue(typed.trim(), TYPING_DELAY);
  const found = useQuery(searchAll(text));
  const isShort = text.length < SEARCH_MIN_LENGTH;
  const group = isShort ? undefined : found.data?.groups.find((group) => group.kind === kind);
  // Of what was picked, which the latest search may not have found.
  const [names, setNames] = useState<Record<string, string>>({});
  const options = new Map<string, string>();
  for (const hit of group?.hits ?? []) {
    const key = keyOf(kind, hit);
    if (key === undefined || hit.standing === "withdrawn") continue;
    options.set(key, hit.title);
  }
  const picked = value.filter((key) => !options.has(key));
  const noun = NOUNS[kind];
  const nothingFound = isShort
    ? `Type two letters of a name${kind === "vessel" ? ", or of an IMO number" : ""}`
    : found.isFetching
      ? "Searching"
      : found.isError
        ? "The search failed. Type again to retry."
        : `No ${noun.one} found`;
  return (
    <MultiSelect
      label={props.label}
      description={props.description}
      error={props.error}
      disabled={props.disabled ?? false}
      placeholder={value.length === 0 ? `Search ${noun.many}` : ""}
      data={[
        ...[...options].map(([key, label]) => ({ value: key, label })),
        ...picked.map((key) => ({
          value: key,
          label: names[key] ?? (kind === "vessel" ? `IMO ${key}` : key),
        })),
      ]}
      // The service has searched already. What is picked is not offered again.
      filter={({ options: all }) => all.filter((option) => "value" in option && options.has(option.value))}
      value={value}
      onChange={(keys) => {
        setNames({ ...names, ...Object.fromEntries(options) });
        onChange(keys);
      }}
      searchable
      searchValue={typed}
      onSearchChange={setTyped}
      hidePickedOptions
      maxValues={max}
      withScrollArea={false}
      nothingFoundMessage={nothingFound}
    />
  );
}
