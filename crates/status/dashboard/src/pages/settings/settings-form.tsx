import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useBlocker } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { asProblem, errorsByField } from "../../api/problem";
import { useChangeSettings } from "../../api/queries";
import { useHasRole } from "../../api/session";
import type { Settings } from "../../api/types";
import { plural } from "../../format/numbers";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import { ProblemNote } from "../../ui/problem-note";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { type Draft, draftFields, emptyFieldErrors, type Fields, settingsChange } from "./fields";
import { MissingRecordsFields } from "./missing-records-fields";
import { PagingFields } from "./paging-fields";
import { ScheduleFields } from "./schedule-fields";
import styles from "./settings-form.module.css";

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
  // The error of a field must not stay behind the sticky bar.
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
        <ScheduleFields {...group} />
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
      <LeaveDialog isDirty={isDirty} changes={changes} />
    </form>
  );
}

function focusFirstError(form: HTMLFormElement | null) {
  const field = form?.querySelector<HTMLElement>("[aria-invalid=true]");
  field?.focus({ preventScroll: true });
  field?.scrollIntoView({ block: "center" });
}

const savedBy = (settings: Settings) => (
  <>
    Version {settings.version}, by {settings.updatedBy} <Time iso={settings.updatedAt} />
  </>
);

/** The state of the form and its buttons; sticks to the bottom of the window while there are unsaved changes. */
function SaveBar(props: { isDirty: boolean; status: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.saveBar} data-dirty={props.isDirty || undefined}>
      <span className={text.dim}>{props.status}</span>
      {props.children}
    </div>
  );
}

/** Asks before the page is left with unsaved changes. */
function LeaveDialog({ isDirty, changes }: { isDirty: boolean; changes: number }) {
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty,
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      opened={blocker.status === "blocked"}
      title="Leave without saving?"
      confirmLabel="Leave without saving"
      cancelLabel="Keep editing"
      danger
      busy={false}
      error={null}
      onClose={() => blocker.reset?.()}
      onConfirm={() => blocker.proceed?.()}
    >
      <p>{plural(changes, "unsaved change")} to the settings would be lost.</p>
    </ConfirmDialog>
  );
}
