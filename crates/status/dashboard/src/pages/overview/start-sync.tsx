import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTriggerSync } from "../../api/queries";
import { useMay } from "../../api/session";
import type { SyncSummary } from "../../api/types";
import { Confirm } from "../../ui/dialog";

/** Starts a full sync, or leads to the one that runs: there is at most one. */
export function StartSync({ running }: { running: SyncSummary | undefined }) {
  const may = useMay("operator");
  const navigate = useNavigate();
  const trigger = useTriggerSync();
  const [asked, setAsked] = useState(false);
  if (running) {
    return (
      <Button
        variant="default"
        renderRoot={(props) => <Link to="/syncs/$syncId" params={{ syncId: running.syncId }} {...props} />}
      >
        Watch the full sync
      </Button>
    );
  }
  if (!may) return null;
  const close = () => {
    setAsked(false);
    trigger.reset();
  };
  return (
    <>
      <Button onClick={() => setAsked(true)}>Start full sync</Button>
      <Confirm
        opened={asked}
        title="Start a full sync?"
        deed="Start full sync"
        busy={trigger.isPending}
        error={trigger.error}
        onClose={close}
        onConfirm={() =>
          trigger.mutate(undefined, {
            onSuccess: ({ syncId }) => {
              close();
              navigate({ to: "/syncs/$syncId", params: { syncId } });
            },
          })
        }
      >
        <p>
          It reads every approved company, vessel, piece of equipment and user from the onboarding portal and
          writes what has changed. Newer edits in the maintenance portal stay. It can be cancelled at any
          time.
        </p>
      </Confirm>
    </>
  );
}
