import { Checkbox, NativeSelect } from "@mantine/core";
import type { Mode, RecordType } from "../api/types";
import { RECORD_TYPE_ORDER, recordTypeNames } from "../format/states";
import form from "./form.module.css";
import { RecordPicker } from "./record-picker";

/** Which records a sync reads. */
export interface Selection {
  mode: Mode;
  recordTypes: RecordType[];
  vesselImos: string[];
  /** At most one. */
  companyIds: string[];
  equipmentIds: string[];
}

export const WHOLE_FLEET: Selection = {
  mode: "full",
  recordTypes: [],
  vesselImos: [],
  companyIds: [],
  equipmentIds: [],
};

/** The members of a request that select records. What the mode does not have is left out. */
export function selectionRequest({ mode, ...selection }: Selection) {
  return {
    mode,
    recordTypes: mode === "full" ? [] : selection.recordTypes,
    vesselImos: mode === "selective" ? selection.vesselImos : [],
    companyId: mode === "selective" ? (selection.companyIds[0] ?? null) : null,
    equipmentIds: mode === "selective" ? selection.equipmentIds : [],
  };
}

const MODES: { value: Mode; label: string }[] = [
  { value: "full", label: "Full: all records, and what is missing" },
  { value: "incremental", label: "Incremental: what has changed" },
  { value: "selective", label: "Selective: only what is chosen below" },
];

/** The fields of a selection. `isWhole`: it cannot be narrowed. */
export function SelectionFields(props: {
  fields: Selection;
  /** Error texts by field name. */
  errors: Record<string, string>;
  isWhole?: boolean;
  onEdit: (part: Partial<Selection>) => void;
}) {
  const { fields, errors, isWhole = false, onEdit } = props;
  const { mode } = fields;
  return (
    <>
      <NativeSelect
        label="Mode"
        data={isWhole ? MODES.filter(({ value }) => value !== "selective") : MODES}
        value={mode}
        onChange={(event) => onEdit({ mode: event.currentTarget.value as Mode })}
        error={errors.mode}
      />
      {mode === "selective" && (
        <>
          <RecordPicker
            kind="vessel"
            label="Vessels"
            description="With their equipment and users"
            value={fields.vesselImos}
            onChange={(vesselImos) => onEdit({ vesselImos })}
            error={listError(errors, "vesselImos")}
          />
          <RecordPicker
            kind="company"
            label="Company"
            description="With its vessels, and what is on board of them"
            value={fields.companyIds}
            onChange={(companyIds) => onEdit({ companyIds })}
            max={1}
            error={errors.companyId}
          />
          <RecordPicker
            kind="equipment"
            label="Equipment"
            value={fields.equipmentIds}
            onChange={(equipmentIds) => onEdit({ equipmentIds })}
            error={listError(errors, "equipmentIds")}
          />
        </>
      )}
      {mode !== "full" && !isWhole && (
        <Checkbox.Group
          label="Record types"
          description="None chosen: all. Companies come with vessels."
          value={fields.recordTypes}
          onChange={(recordTypes) => onEdit({ recordTypes: recordTypes as RecordType[] })}
          error={listError(errors, "recordTypes")}
        >
          <div className={form.choices}>
            {RECORD_TYPE_ORDER.map((type) => (
              <Checkbox key={type} value={type} label={recordTypeNames(type).many} />
            ))}
          </div>
        </Checkbox.Group>
      )}
    </>
  );
}

/** The errors of a list and of its entries. */
const listError = (errors: Record<string, string>, name: string): string | undefined =>
  Object.entries(errors)
    .filter(([field]) => field === name || field.startsWith(`${name}.`))
    .map(([, detail]) => detail)
    .join(" ") || undefined;
