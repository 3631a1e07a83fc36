import { Button, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { asProblem, errorsByField } from "../../api/problem";
import { useDeleteSchedule, usePauseSchedule, useResumeSchedule } from "../../api/queries/schedules";
import type { Schedule } from "../../api/types";
import { fromInputTime } from "../../format/times";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { ReasonField, useRequiredReason } from "../../ui/reason-field";
import { useZone } from "../../ui/zone";

/** Pauses a schedule, with a reason and, where it is known, an end. */
export function PauseAction({ schedule }: { schedule: Schedule }) {
  const zone = useZone();
  const pause = usePauseSchedule(schedule.name);
  const [isOpen, setOpen] = useState(false);
  const reason = useRequiredReason("Say why the schedule is paused.");
  const [until, setUntil] = useState("");
  const errors = errorsByField(pause.error ? asProblem(pause.error) : null);
  const hasFieldErrors = Object.keys(errors).length > 0;
  const close = () => {
    setOpen(false);
    reason.forgetError();
    pause.reset();
  };
  const confirm = () => {
    const given = reason.check();
    if (given === undefined) return;
    const end = fromInputTime(until, zone);
    pause.mutate({ reason: given, ...(end ? { until: end } : {}) }, { onSuccess: close });
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        {schedule.pause ? "Change the pause" : "Pause"}
      </Button>
      <ConfirmDialog
        opened={isOpen}
        title={`Pause ${schedule.name}?`}
        confirmLabel="Pause schedule"
        busy={pause.isPending}
        error={hasFieldErrors ? null : pause.error}
        onClose={close}
        onConfirm={confirm}
      >
        <p>
          It starts no syncs until the end of the pause. Times in the pause are listed as skipped, and are not
          caught up. Approvals still arrive at once by webhook.
        </p>
        <ReasonField value={reason.value} onChange={reason.onChange} error={errors.reason ?? reason.error} />
        <TextInput
          type="datetime-local"
          label={`Until, ${zone === "utc" ? "UTC" : "local time"}`}
          description="Optional. Without it, the schedule is paused until someone resumes it."
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
          error={errors.until}
        />
      </ConfirmDialog>
    </>
  );
}

export function ResumeAction({ schedule }: { schedule: Schedule }) {
  const resume = useResumeSchedule(schedule.name);
  const [isOpen, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    resume.reset();
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>Resume</Button>
      <ConfirmDialog
        opened={isOpen}
        title={`Resume ${schedule.name}?`}
        confirmLabel="Resume schedule"
        busy={resume.isPending}
        error={resume.error}
        onClose={close}
        onConfirm={() => resume.mutate(undefined, { onSuccess: close })}
      >
        <p>It starts syncs again from its next time on. Times in the pause are not caught up.</p>
      </ConfirmDialog>
    </>
  );
}

export function DeleteAction({ schedule, onDeleted }: { schedule: Schedule; onDeleted: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const remove = useDeleteSchedule(schedule.name, () => {
    setOpen(false);
    onDeleted();
    notifications.show({
      title: "Schedule deleted",
      message: `${schedule.name} starts no more syncs.`,
      color: "blue",
    });
  });
  const close = () => {
    setOpen(false);
    remove.reset();
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Delete
      </Button>
      <ConfirmDialog
        opened={isOpen}
        title={`Delete ${schedule.name}?`}
        confirmLabel="Delete schedule"
        danger
        busy={remove.isPending}
        error={remove.error}
        onClose={close}
        onConfirm={() => remove.mutate(schedule.version)}
      >
        <p>
          The schedule goes with the list of its times. The syncs that it has started stay. To stop it for a
          while, pause it instead.
        </p>
      </ConfirmDialog>
    </>
  );
}
