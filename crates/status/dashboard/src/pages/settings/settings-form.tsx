import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useEffect, useRef, useState } from "react";
import { asProblem, errorsByField } from "../../api/problem";
import { useChangeSettings } from "../../api/queries/settings";
import { useHasRole } from "../../api/session";
import type { Settings } from "../../api/types";
import { plural } from "../../format/numbers";
import { focusFirstError } from "../../ui/first-error";
import layout from "../../ui/layout.module.css";
import { LeaveDialog } from "../../ui/leave-dialog";
import { Note } from "../../ui/note";
import { ProblemNote } from "../../ui/problem-note";
import { SaveBar } from "../../ui/save-bar";
import { Time } from "../../ui/time";
import { type Draft, draftFields, emptyFieldErrors, type Fields, settingsChange } from "./fields";
import { IncrementalFields } from "./incremental-fields";
import { MissingRecordsFields } from "./missing-records-fields";
import { PagingFields } from "./paging-fields";

export function SettingsForm({ settings }: { settings: Settings }) {
  const isAdmin = useHasRole("admin");
  const save = useChangeSettings();
  const [draft, setDraft] = useState<Draft | null>(null);
  const fields = draftFields(settings, draft);
  const change = settingsChange(settings, fields);
  const emptyErrors = emptyFieldErrors(fields);
  const changes = Object.keys(change).length + Object.keys(emptyErrors).length;
  const isDirty = draft !== null && changes > 0;
  const problem = save.error ? asProblem(save.error) : null;
  const serverErrors = errorsByField(problem);
  const hasFieldErrors = Object.keys(serverErrors).length > 0;
  const errors = { ...serverErrors, ...emptyErrors };
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (hasFieldErrors) focusFirstError(form.current);
  }, [hasFieldErrors]);

  const edit = (part: Partial<Fields>) => {
    setDraft({ version: draft?.version ?? settings.version, edited: { ...draft?.edited, ...part } });
    if (save.error) save.reset();
  };
  const discard = () => {
    setDraft(null);
    save.reset();
  };
  const submit = () =>
    save.mutate(
      { version: settings.version, change },
      {
        onSuccess: () => {
          setDraft(null);
          notifications.show({
            title: "Settings saved",
            message: "They apply from now on.",
            color: "green",
          });
        },
      },
    );

  const group = { fields, errors, disabled: !isAdmin, onEdit: edit };
  return (
    <form
      ref={form}
      className={layout.stack}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (Object.keys(emptyErrors).length > 0) focusFirstError(form.current);
        else if (isDirty && !save.isPending) submit();
      }}
    >
      {!isAdmin && <Note tone="neutral">Read-only. Settings are changed by an admin.</Note>}
      <fieldset disabled={!isAdmin} className={layout.stack}>
        <IncrementalFields {...group} />
        <MissingRecordsFields {...group} />
        <PagingFields {...group} />
      </fieldset>
      {isDirty && draft.version !== settings.version && (
        <Note tone="warn" role="status">
          {settings.updatedBy} changed the settings while you were editing. Fields that you did not edit show
          the new values. Your changes are kept and not saved yet.
        </Note>
      )}
      {problem && !hasFieldErrors && <ProblemNote problem={problem} />}
      <SaveBar isDirty={isDirty} status={isDirty ? plural(changes, "unsaved change") : savedBy(settings)}>
        {isAdmin && (
          <span className={layout.actions}>
            <Button variant="default" disabled={!isDirty} onClick={discard}>
              Discard
            </Button>
            <Button type="submit" disabled={!isDirty} loading={save.isPending}>
              Save settings
            </Button>
          </span>
        )}
      </SaveBar>
      <LeaveDialog changes={isDirty ? changes : 0} of="the settings" />
    </form>
  );
}

const savedBy = (settings: Settings) => (
  <>
    Version {settings.version}, by {settings.updatedBy} <Time iso={settings.updatedAt} />
  </>
);
