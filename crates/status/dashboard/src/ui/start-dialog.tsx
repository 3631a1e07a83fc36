import { Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { asProblem, errorsByField } from "../api/problem";
import { useTriggerSync } from "../api/queries/sync-commands";
import type { Mode } from "../api/types";
import { modeWord } from "../format/states";
import { fromInputTime } from "../format/times";
import { ConfirmDialog } from "./confirm-dialog";
import form from "./form.module.css";
import { Note } from "./note";
import { ReasonField } from "./reason-field";
import { type Selection, SelectionFields, selectionRequest, WHOLE_FLEET } from "./selection-fields";
import { useZone } from "./zone";

const EFFECTS: Record<Mode, string> = {
  full: "It reads all approved companies, vessels, equipment and users from the onboarding portal and writes what has changed.",
  incremental:
    "It reads what has changed in the onboarding portal since the last complete sync, and writes it.",
  selective: "It reads the chosen records from the onboarding portal and writes what has changed.",
};

/** Asks what to sync, and starts it. A full sync needs no choices. */
export function StartDialog(props: {
  start: { mode: Mode; dryRun: boolean };
  onStarted: (syncId: string) => void;
  onClose: () => void;
}) {
  const { start, onStarted, onClose } = props;
  const zone = useZone();
  const trigger = useTriggerSync();
  const [selection, setSelection] = useState<Selection>({ ...WHOLE_FLEET, mode: start.mode });
  const [dryRun, setDryRun] = useState(start.dryRun);
  const [since, setSince] = useState("");
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const isPlain = start.mode === "full" && !start.dryRun;
  const errors = errorsByField(trigger.error ? asProblem(trigger.error) : null);
  const hasFieldErrors = Object.keys(errors).length > 0;
  const { mode } = selection;
  const name = dryRun ? "dry run" : `${modeWord(mode).toLowerCase()} sync`;
  const edit = (part: Partial<Selection>) => {
    setSelection({ ...selection, ...part });
    trigger.reset();
  };
  const confirm = () => {
    const [changedSince, changedUntil] = [fromInputTime(since, zone), fromInputTime(until, zone)];
    trigger.mutate(
      {
        ...selectionRequest(selection),
        dryRun,
        ...(mode === "selective" && changedSince ? { changedSince } : {}),
        ...(mode === "selective" && changedUntil ? { changedUntil } : {}),
        ...(reason.trim() ? { reason: reason.trim() } : {}),
      },
      {
        onSuccess: ({ syncId }) => onStarted(syncId),
        onError: (thrown) => {
          const { code, members } = asProblem(thrown);
          if (code !== "full_sync_running" || typeof members.runningSyncId !== "string") return;
          onStarted(members.runningSyncId);
          notifications.show({
            title: "A full sync is already running",
            message: "No second one was started. This page shows the running one.",
            color: "blue",
          });
        },
      },
    );
  };
  return (
    <ConfirmDialog
      opened
      title={`Start ${mode === "incremental" && !dryRun ? "an" : "a"} ${name}?`}
      confirmLabel={`Start ${name}`}
      size={isPlain ? "sm" : "md"}
      busy={trigger.isPending}
      error={hasFieldErrors ? null : trigger.error}
      onClose={onClose}
      onConfirm={confirm}
    >
      <p>
        {EFFECTS[mode]}{" "}
        {dryRun
          ? "This one writes nothing: it lists what it would do, record by record, and can be run afterwards."
          : "Newer edits in the maintenance portal are kept. You can cancel it at any time."}
      </p>
      {!isPlain && (
        <>
          {errors["#"] && (
            <Note tone="bad" role="alert">
              {mode === "selective" ? NOTHING_CHOSEN : errors["#"]}
            </Note>
          )}
          <SelectionFields fields={selection} errors={errors} onEdit={edit} />
          {mode === "selective" && (
            <div className={form.columns}>
              <TimeInput
                label="Changed since"
                value={since}
                onChange={setSince}
                error={errors.changedSince}
              />
              <TimeInput
                label="Changed until"
                value={until}
                onChange={setUntil}
                error={errors.changedUntil}
              />
            </div>
          )}
          <Switch
            label="Dry run: show what would change, and write nothing"
            checked={dryRun}
            onChange={(event) => setDryRun(event.currentTarget.checked)}
          />
        </>
      )}
      <ReasonField
        description="Optional. Shown with the sync and in the audit log."
        value={reason}
        onChange={setReason}
        error={errors.reason}
      />
    </ConfirmDialog>
  );
}

const NOTHING_CHOSEN = "Choose vessels, a company, equipment, record types, or a time of the changes.";

function TimeInput(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
}) {
  const zone = useZone();
  return (
    <TextInput
      type="datetime-local"
      label={`${props.label}, ${zone === "utc" ? "UTC" : "local time"}`}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      error={props.error}
    />
  );
}
