import { NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { PORTAL_ROLES, roleWord, WORKPLACES } from "../../format/states";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import form from "../../ui/form.module.css";
import type { DraftRule } from "./draft";

const options = (words: readonly string[], chosen: string) =>
  [...new Set([...words, chosen])].map((value) => ({ value, label: roleWord(value) }));

/** Asks for the fields of a rule and its place. Nothing is saved yet. */
export function RuleDialog(props: {
  rule: DraftRule;
  place: number;
  /** Number of rules, with this one. */
  count: number;
  isNew: boolean;
  onApply: (rule: DraftRule, place: number) => void;
  onClose: () => void;
}) {
  const { isNew, count, onApply, onClose } = props;
  const [rule, setRule] = useState(props.rule);
  const [place, setPlace] = useState<number | string>(props.place);
  const [isMissing, setMissing] = useState(false);
  const edit = (part: Partial<DraftRule>) => {
    setRule({ ...rule, ...part });
    setMissing(false);
  };
  const apply = () => {
    if (rule.rank.trim() === "") setMissing(true);
    else onApply(rule, Number(place) || props.place);
  };
  return (
    <ConfirmDialog
      opened
      title={isNew ? "Add a rule" : `Edit rule ${props.place}`}
      confirmLabel={isNew ? "Add rule" : "Apply"}
      size="md"
      busy={false}
      error={null}
      onConfirm={apply}
      onClose={onClose}
    >
      <TextInput
        label="Rank or position"
        description="As a code, such as chief_engineer, or as people write it"
        value={rule.rank}
        onChange={(event) => edit({ rank: event.currentTarget.value })}
        error={isMissing ? "Enter a rank." : undefined}
        maxLength={100}
        autoComplete="off"
        data-autofocus
      />
      <div className={form.columns}>
        <NativeSelect
          label="Workplace"
          data={options(WORKPLACES, rule.workplace)}
          value={rule.workplace}
          onChange={(event) => edit({ workplace: event.currentTarget.value })}
        />
        <TextInput
          label="Department"
          placeholder="Any"
          value={rule.department ?? ""}
          onChange={(event) => edit({ department: event.currentTarget.value })}
          maxLength={100}
          autoComplete="off"
        />
        <NativeSelect
          label="Role"
          data={options(PORTAL_ROLES, rule.role)}
          value={rule.role}
          onChange={(event) => edit({ role: event.currentTarget.value })}
        />
        <NumberInput
          label={`Place in the order, 1 to ${count}`}
          value={place}
          onChange={setPlace}
          min={1}
          max={count}
          allowDecimal={false}
        />
      </div>
    </ConfirmDialog>
  );
}
