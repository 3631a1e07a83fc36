import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useCancelSync, useResumeSync, useRetrySync } from "../../api/queries/sync-commands";
import { useFleetPart, useHasRole } from "../../api/session";
import type { SyncDetail } from "../../api/types";
import { plural } from "../../format/numbers";
import { isComplete, isOpen } from "../../format/states";
import { canResume, needsAnotherFullSync } from "../../format/sync";
import { tallyOf } from "../../format/tally";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { StartSync } from "../../ui/start-sync";
import { RunDryRun } from "./run-dry-run";
import { canUndo, UndoAction } from "./undo";

/** The actions that the sync's state allows. */
export function SyncActions({ sync }: { sync: SyncDetail }) {
  const isOperator = useHasRole("operator");
  const isAdmin = useHasRole("admin");
  // Commands to syncs are closed to a token for a part of the fleet.
  const isForWhole = useFleetPart() === null;
  if (!isOperator || !isForWhole) return null;
  if (isOpen(sync.state)) return <CancelAction syncId={sync.syncId} />;
  const failed = tallyOf(sync.counts).total.rejected + sync.tasks.dead;
  return (
    <>
      {sync.dryRun && isComplete(sync.state) && <RunDryRun sync={sync} />}
      {needsAnotherFullSync(sync) && <StartSync again />}
      {!sync.dryRun && !canResume(sync) && failed > 0 && <RetryAction sync={sync} />}
      {canUndo(sync) && isAdmin && <UndoAction sync={sync} />}
      {canResume(sync) && <ResumeAction syncId={sync.syncId} />}
    </>
  );
}

function CancelAction({ syncId }: { syncId: string }) {
  const cancel = useCancelSync(syncId);
  return (
    <ConfirmedAction
      command={cancel}
      button={(open) => (
        <Button variant="default" onClick={open}>
          Cancel sync
        </Button>
      )}
      title="Cancel sync?"
      confirmLabel="Cancel sync"
      cancelLabel="Keep running"
      danger
      onConfirm={(close) => cancel.mutate(undefined, { onSuccess: close })}
    >
      Pages being written are finished, the remaining pages are not started. Records already written are kept.
    </ConfirmedAction>
  );
}

function ResumeAction({ syncId }: { syncId: string }) {
  const resume = useResumeSync(syncId);
  return (
    <ConfirmedAction
      command={resume}
      button={(open) => <Button onClick={open}>Resume</Button>}
      title="Resume sync?"
      confirmLabel="Resume"
      onConfirm={(close) => resume.mutate(undefined, { onSuccess: close })}
    >
      The sync continues where it stopped. Finished tasks are not repeated.
    </ConfirmedAction>
  );
}

function RetryAction({ sync }: { sync: SyncDetail }) {
  const retry = useRetrySync(sync.syncId);
  const navigate = useNavigate();
  const { rejected } = tallyOf(sync.counts).total;
  const failed = [
    ...(rejected > 0 ? [plural(rejected, "rejected record")] : []),
    ...(sync.tasks.dead > 0 ? [plural(sync.tasks.dead, "dead-lettered task")] : []),
  ].join(" and ");
  return (
    <ConfirmedAction
      command={retry}
      button={(open) => (
        <Button variant="default" onClick={open}>
          Retry failed
        </Button>
      )}
      title={`Retry ${failed}?`}
      confirmLabel="Retry failed"
      onConfirm={(close) =>
        retry.mutate(undefined, {
          onSuccess: ({ retrySyncId, records, tasks }) => {
            close();
            if (retrySyncId) navigate({ to: "/syncs/$syncId", params: { syncId: retrySyncId } });
            notifications.show({
              title: "Retry started",
              message: [
                ...(records > 0 ? [`This sync reads ${plural(records, "record")} again.`] : []),
                ...(tasks > 0 ? [`${plural(tasks, "task")} restarted in the original sync.`] : []),
              ].join(" "),
              color: "blue",
            });
          },
        })
      }
    >
      Nothing else is repeated. A record that has not been corrected in the onboarding portal is rejected
      again.
    </ConfirmedAction>
  );
}

/** A button whose action runs only after a confirmation. */
function ConfirmedAction(props: {
  command: { isPending: boolean; error: unknown; reset: () => void };
  button: (open: () => void) => ReactNode;
  title: string;
  confirmLabel: string;
  cancelLabel?: string;
  danger?: boolean;
  onConfirm: (close: () => void) => void;
  children: ReactNode;
}) {
  const { command, button, onConfirm, children, ...texts } = props;
  const [isDialogOpen, setDialogOpen] = useState(false);
  const close = () => {
    setDialogOpen(false);
    command.reset();
  };
  return (
    <>
      {button(() => setDialogOpen(true))}
      <ConfirmDialog
        {...texts}
        opened={isDialogOpen}
        busy={command.isPending}
        error={command.error}
        onClose={close}
        onConfirm={() => onConfirm(close)}
      >
        <p>{children}</p>
      </ConfirmDialog>
    </>
  );
}
