import type { Conflict, Side } from "../../api/types";
import { fieldLabel } from "../../format/record-fields";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import styles from "./conflicts.module.css";

/** The chosen side of each field. A field without a choice stays as it is. */
export type Choices = Record<string, Side>;

export const SIDE_NAMES: Record<Side, string> = {
  local: "maintenance portal",
  source: "onboarding portal",
};

export const valueText = (value: unknown): string =>
  value == null ? "none" : typeof value === "string" ? value : JSON.stringify(value);

interface FieldRow {
  name: string;
  local: string;
  source: string;
}

function SideValue(props: {
  row: FieldRow;
  side: Side;
  isChosen: boolean;
  onChoose: ((name: string, side: Side) => void) | undefined;
}) {
  const { row, side, isChosen, onChoose } = props;
  const value = <bdi className={text.breakAnywhere}>{row[side]}</bdi>;
  if (!onChoose) return <span className={isChosen ? text.strong : undefined}>{value}</span>;
  return (
    <label className={styles.choice}>
      <input
        type="radio"
        name={`side of ${row.name}`}
        aria-label={`${fieldLabel(row.name)}: ${SIDE_NAMES[side]}`}
        checked={isChosen}
        onChange={() => onChoose(row.name, side)}
      />
      {value}
    </label>
  );
}

const SIDES = ["local", "source"] as const;

/** The fields in which the sides differ, side by side, with who wrote each side and when. `onChoose` offers a choice per field. */
export function FieldTable(props: {
  conflict: Conflict;
  choices: Choices;
  onChoose?: (name: string, side: Side) => void;
}) {
  const { conflict, choices, onChoose } = props;
  const rows: FieldRow[] = Object.entries(conflict.fields).map(([name, { local, source }]) => ({
    name,
    local: valueText(local),
    source: valueText(source),
  }));
  const writer = conflict.localWriter === "maintenance" ? "edited there" : "written by an earlier sync";
  return (
    <section aria-label="Both sides">
      <table className={styles.sides} aria-label="Fields">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">
              Maintenance portal
              <span className={styles.writer}>
                {writer} <Time iso={conflict.localAt} full />
              </span>
            </th>
            <th scope="col">
              Onboarding portal
              <span className={styles.writer}>
                changed <Time iso={conflict.sourceAt} full />
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{fieldLabel(row.name)}</th>
              {SIDES.map((side) => (
                <td key={side}>
                  <SideValue
                    row={row}
                    side={side}
                    isChosen={choices[row.name] === side}
                    onChoose={onChoose}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
