import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useCancelSync, useResumeSync, useRetrySync } from "../../api/queries";
import { useMay } from "../../api/session";
import type { SyncDetail } from "../../api/types";
import { plural } from "../../format/numbers";
import { isOpen } from "../../format/states";
import { canGoOn, wantsAnother } from "../../format/sync";
import { account } from "../../format/tally";
import { Confirm } from "../../ui/confirm";
import { StartSync } from "../../ui/start-sync";

/** What a sync in this state allows. */
export function Actions({ run }: { run: SyncDetail }) {
  const may = useMay("operator");
  if (!may) return null;
  if (isOpen(run.state)) return <Cancel syncId={run.syncId} />;
  const failed = account(run.counts).total.rejected + run.tasks.dead;
  return (
    <>
      {wantsAnother(run) && <StartSync again />}
      {!run.dryRun && !canGoOn(run) && failed > 0 && <TryAgain run={run} />}
      {canGoOn(run) && <GoOn syncId={run.syncId} />}
    </>
  );
}

function Cancel({ syncId }: { syncId: string }) {
  const cancel = useCancelSync(syncId);
  return (
    <Ask
      order={cancel}
      button={(ask) => (
        <Button variant="default" onClick={ask}>
          Cancel sync
        </Button>
      )}
      title="Cancel this sync?"
      deed="Cancel this sync"
      keep="Let it run"
      danger
      onConfirm={(close) => cancel.mutate(undefined, { onSuccess: close })}
    >
      Pages that are being written are finished, the rest is not begun. What has been written stays.
    </Ask>
  );
}

function GoOn({ syncId }: { syncId: string }) {
  const resume = useResumeSync(syncId);
  return (
    <Ask
      order={resume}
      button={(ask) => <Button onClick={ask}>Go on with it</Button>}
      title="Go on with this sync?"
      deed="Go on with it"
      onConfirm={(close) => resume.mutate(undefined, { onSuccess: close })}
    >
      It goes on where it stopped. What is done stays done, and is not done again.
    </Ask>
  );
}

function TryAgain({ run }: { run: SyncDetail }) {
  const retry = useRetrySync(run.syncId);
  const navigate = useNavigate();
  const { rejected } = account(run.counts).total;
  const what = [
    ...(rejected > 0 ? [plural(rejected, "rejected record")] : []),
    ...(run.tasks.dead > 0
      ? [plural(run.tasks.dead, "task that was given up", "tasks that were given up")]
      : []),
  ].join(" and ");
  return (
    <Ask
      order={retry}
      button={(ask) => (
        <Button variant="default" onClick={ask}>
          Try again what failed
        </Button>
      )}
      title="Try again what failed?"
      deed="Try again"
      onConfirm={(close) =>
        retry.mutate(undefined, {
          onSuccess: ({ retrySyncId, records, tasks }) => {
            close();
            if (retrySyncId) navigate({ to: "/syncs/$syncId", params: { syncId: retrySyncId } });
            notifications.show({
              title: "On the way",
              message: [
                ...(records > 0 ? [`${plural(records, "record")} looked at again by this sync.`] : []),
                ...(tasks > 0 ? [`${plural(tasks, "task")} open again in the first.`] : []),
              ].join(" "),
              color: "blue",
            });
          },
        })
      }
    >
      {what}: only that, and nothing that went well. A record that was not corrected in the onboarding portal
      is rejected again.
    </Ask>
  );
}

/** A button that says what it will do before it does. */
function Ask(props: {
  order: { isPending: boolean; error: unknown; reset: () => void };
  button: (ask: () => void) => ReactNode;
  title: string;
  deed: string;
  keep?: string;
  danger?: boolean;
  onConfirm: (close: () => void) => void;
  children: ReactNode;
}) {
  const { order, button, onConfirm, children, ...words } = props;
  const [asked, setAsked] = useState(false);
  const close = () => {
    setAsked(false);
    order.reset();
  };
  return (
    <>
      {button(() => setAsked(true))}
      <Confirm
        {...words}
        opened={asked}
        busy={order.isPending}
        error={order.error}
        onClose={close}
        onConfirm={() => onConfirm(close)}
      >
        <p>{children}</p>
      </Confirm>
    </>
  );
}

/** The sync whose failures this one tries again. */
export function RetryOf({ syncId }: { syncId: string }) {
  return (
    <Link to="/syncs/$syncId" params={{ syncId }}>
      What failed in an earlier sync
    </Link>
  );
}
