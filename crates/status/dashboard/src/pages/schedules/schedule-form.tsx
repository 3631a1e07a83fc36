import { Button, NativeSelect, Select, Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useEffect, useMemo, useRef, useState } from "react";
import { asProblem, errorsByField } from "../../api/problem";
import { usePutSchedule } from "../../api/queries/schedules";
import type { OverlapPolicy, Schedule, SchedulePreset } from "../../api/types";
import { definitionOf, FIXED_SCHEDULE } from "../../format/schedule";
import { focusFirstError } from "../../ui/first-error";
import form from "../../ui/form.module.css";
import layout from "../../ui/layout.module.css";
import { LeaveDialog } from "../../ui/leave-dialog";
import { Note } from "../../ui/note";
import { ProblemNote } from "../../ui/problem-note";
import { SelectionFields } from "../../ui/selection-fields";
import { changedFields, definitionFrom, fieldsOf, NEW_SCHEDULE, type ScheduleFields } from "./fields";
import { SchedulePreview } from "./schedule-preview";

const OVERLAPS: { value: OverlapPolicy; label: string }[] = [
  { value: "skip", label: "Skip this time" },
  { value: "allow", label: "Start all the same" },
];

function timeZones(selected: string): string[] {
  return [...new Set(["UTC", selected, ...Intl.supportedValuesOf("timeZone")])];
}

/** Adds a schedule, or changes the one that is given. `onSaved` gets its name. */
export function ScheduleForm(props: {
  schedule: Schedule | undefined;
  presets: SchedulePreset[];
  onSaved: (name: string) => void;
  onCancel: () => void;
}) {
  const { schedule, presets, onSaved, onCancel } = props;
  const [version, setVersion] = useState(schedule?.version);
  const saved = useMemo(
    () => (schedule ? fieldsOf(schedule.name, definitionOf(schedule)) : NEW_SCHEDULE),
    [schedule],
  );
  const [fields, setFields] = useState<ScheduleFields>(saved);
  const put = usePutSchedule();
  const problem = put.error ? asProblem(put.error) : null;
  const isStale = problem?.status === 412 || problem?.status === 428;
  const serverErrors = errorsByField(problem);
  const [missing, setMissing] = useState<Record<string, string>>({});
  const errors: Record<string, string> = { ...serverErrors, ...missing };
  const hasErrors = Object.keys(errors).length > 0;
  const formElement = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (hasErrors) focusFirstError(formElement.current);
  }, [hasErrors]);
  const edit = (part: Partial<ScheduleFields>) => {
    setFields({ ...fields, ...part });
    setMissing({});
    if (put.error) put.reset();
  };
  const submit = () => {
    const required = {
      ...(fields.name.trim() === "" ? { name: "Enter a name." } : {}),
      ...(fields.cron.trim() === "" ? { cron: "Enter a cron expression, or choose a preset." } : {}),
    };
    setMissing(required);
    if (Object.keys(required).length > 0 || put.isPending) return;
    const name = fields.name.trim();
    put.mutate(
      { name, version, definition: definitionFrom(fields) },
      {
        onSuccess: () => {
          notifications.show({
            title: schedule ? "Schedule saved" : "Schedule added",
            message: fields.enabled
              ? "It applies from now on."
              : "It is off: switch it on when it is needed.",
            color: "green",
          });
          onSaved(name);
        },
      },
    );
  };
  const isFixed = schedule?.name === FIXED_SCHEDULE;
  return (
    <form
      ref={formElement}
      className={layout.stack}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {!schedule && (
        <NativeSelect
          label="Preset"
          description="Fills in the mode and the times below"
          data={[
            { value: "", label: "None" },
            ...presets.map(({ description }, index) => ({ value: String(index), label: description })),
          ]}
          onChange={(event) => {
            const preset = presets[Number(event.currentTarget.value || Number.NaN)];
            if (preset) edit({ cron: preset.cron, mode: preset.mode });
          }}
        />
      )}
      <TextInput
        label="Name"
        description="Lower-case letters, digits and hyphens. It cannot be changed later."
        value={fields.name}
        onChange={(event) => edit({ name: event.currentTarget.value })}
        error={errors.name}
        disabled={schedule !== undefined}
        maxLength={63}
        autoComplete="off"
        spellCheck={false}
      />
      <TimeFields fields={fields} errors={errors} onEdit={edit} />
      <SchedulePreview cron={fields.cron} timeZone={fields.timeZone} isEnabled={fields.enabled} />
      <SelectionFields fields={fields} errors={errors} isWhole={isFixed} onEdit={edit} />
      <NativeSelect
        label="If an earlier sync has not ended"
        description="A second full sync never starts."
        data={OVERLAPS}
        value={fields.overlap}
        onChange={(event) => edit({ overlap: event.currentTarget.value as OverlapPolicy })}
        error={errors.overlap}
      />
      <Switch
        label="Start syncs on this schedule"
        checked={fields.enabled}
        onChange={(event) => edit({ enabled: event.currentTarget.checked })}
      />
      {schedule && version !== schedule.version && (
        <Note
          tone="warn"
          role="status"
          actions={
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                setFields(saved);
                setVersion(schedule.version);
                put.reset();
              }}
            >
              Show the new version
            </Button>
          }
        >
          {schedule.updatedBy} changed this schedule while you were editing. To save, start from the new
          version.
        </Note>
      )}
      {problem && !hasErrors && !(isStale && version !== schedule?.version) && (
        <ProblemNote problem={problem} />
      )}
      <span className={layout.actions}>
        <Button type="submit" loading={put.isPending}>
          {schedule ? "Save schedule" : "Add schedule"}
        </Button>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      </span>
      <LeaveDialog
        changes={put.isSuccess ? 0 : changedFields(saved, fields)}
        of={schedule ? `the schedule ${schedule.name}` : "the new schedule"}
      />
    </form>
  );
}

interface GroupProps {
  fields: ScheduleFields;
  /** Error texts by field name. */
  errors: Record<string, string>;
  onEdit: (part: Partial<ScheduleFields>) => void;
}

function TimeFields({ fields, errors, onEdit }: GroupProps) {
  const zones = useMemo(() => timeZones(fields.timeZone), [fields.timeZone]);
  return (
    <div className={form.columns}>
      <TextInput
        label="Cron expression"
        description="Minute, hour, day of month, month, day of week"
        classNames={{ input: form.code }}
        value={fields.cron}
        onChange={(event) => onEdit({ cron: event.currentTarget.value })}
        error={errors.cron}
        spellCheck={false}
        autoComplete="off"
      />
      <Select
        label="Time zone"
        description="Of the cron expression"
        data={zones}
        value={fields.timeZone}
        onChange={(timeZone) => timeZone && onEdit({ timeZone })}
        error={errors.timeZone}
        searchable
        allowDeselect={false}
        limit={60}
        withScrollArea={false}
        nothingFoundMessage="No matching time zone"
      />
    </div>
  );
}
