import { createContext, useContext } from "react";
import type { Conflict, Side } from "../../api/types";
import { columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import styles from "./conflicts.module.css";

/** The chosen side of each field. A field without a choice stays as it is. */
export type Choices = Record<string, Side>;

export const SIDE_NAMES: Record<Side, string> = {
  local: "maintenance portal",
  source: "onboarding portal",
};

/** `running_hours` → `running hours` */
export const fieldName = (name: string): string => name.replaceAll("_", " ");

export const valueText = (value: unknown): string =>
  value == null ? "none" : typeof value === "string" ? value : JSON.stringify(value);

interface FieldRow {
  name: string;
  local: string;
  source: string;
}

/** The choices of the table, for its cells: its columns must be the same at each render. */
const ChoiceContext = createContext<{
  choices: Choices;
  onChoose?: (name: string, side: Side) => void;
}>({ choices: {} });

const column = columnsOf<FieldRow>();
const fieldColumns = [
  column.display({
    id: "field",
    header: "Field",
    meta: { rowHeader: true },
    cell: ({ row }) => fieldName(row.original.name),
  }),
  ...(["local", "source"] as const).map((side) =>
    column.display({
      id: side,
      header: side === "local" ? "Maintenance portal" : "Onboarding portal",
      cell: ({ row }) => <SideValue row={row.original} side={side} />,
    }),
  ),
];

function SideValue({ row, side }: { row: FieldRow; side: Side }) {
  const { choices, onChoose } = useContext(ChoiceContext);
  const value = <bdi className={text.breakAnywhere}>{row[side]}</bdi>;
  const isChosen = choices[row.name] === side;
  if (!onChoose) return <span className={isChosen ? text.strong : undefined}>{value}</span>;
  return (
    <label className={styles.choice}>
      <input
        type="radio"
        name={`side of ${row.name}`}
        aria-label={`${fieldName(row.name)}: ${SIDE_NAMES[side]}`}
        checked={isChosen}
        onChange={() => onChoose(row.name, side)}
      />
      {value}
    </label>
  );
}

/** The fields in which the sides differ, side by side, with who wrote each side and when. `onChoose` offers a choice per field. */
export function FieldTable(props: {
  conflict: Conflict;
  choices: Choices;
  onChoose?: (name: string, side: Side) => void;
}) {
  const { conflict, ...choice } = props;
  const rows = Object.entries(conflict.fields).map(([name, { local, source }]) => ({
    name,
    local: valueText(local),
    source: valueText(source),
  }));
  const writer = conflict.localWriter === "maintenance" ? "edited there" : "written by an earlier sync";
  return (
    <section aria-label="Both sides">
      <p className={styles.sides}>
        <span>
          <span className={text.strong}>Maintenance portal</span>: {writer}{" "}
          <Time iso={conflict.localAt} full />
        </span>
        <span>
          <span className={text.strong}>Onboarding portal</span>: changed{" "}
          <Time iso={conflict.sourceAt} full />
        </span>
      </p>
      {rows.length > 0 && (
        <ChoiceContext.Provider value={choice}>
          <Table label="Fields" columns={fieldColumns} data={rows} rowKey={(row) => row.name} />
        </ChoiceContext.Provider>
      )}
    </section>
  );
}
