import { fieldLabel, fieldValue, orderedFields } from "../format/record-fields";
import { DiffTable } from "./diff-table";

type Values = Record<string, unknown>;

/**
 * The fields that changed, each with its value before and after. `before` absent: the record is new. `after` absent: what
 * stands now is not known.
 */
export function FieldDiff(props: {
  label: string;
  before: Values | null | undefined;
  after: Values | null | undefined;
  /** Names of two sides of which none came first. */
  beforeLabel?: string;
  afterLabel?: string;
}) {
  const { label, before, after, beforeLabel, afterLabel = "After" } = props;
  return (
    <DiffTable
      label={label}
      rowHeader="Field"
      beforeHeader={before ? (beforeLabel ?? "Before") : null}
      afterHeader={after ? afterLabel : null}
      isChange={beforeLabel === undefined}
      rows={orderedFields({ ...before, ...after }).map(([name]) => ({
        name: fieldLabel(name),
        before: fieldValue(name, before?.[name]),
        after: fieldValue(name, after?.[name]),
      }))}
    />
  );
}
