import { Button, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem } from "../api/problem";
import { getOverview, useTriggerSync } from "../api/queries";
import { useHasRole } from "../api/session";
import { ConfirmDialog } from "./confirm-dialog";

/** Starts a full sync, or links to the running one: there is at most one. */
export function StartSync({ again = false }: { again?: boolean }) {
  const isOperator = useHasRole("operator");
  const navigate = useNavigate();
  const trigger = useTriggerSync();
  const running = useQuery(getOverview()).data?.running.find((sync) => sync.mode === "full");
  const [isAsking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const open = (syncId: string) => {
    setAsking(false);
    setReason("");
    trigger.reset();
    navigate({ to: "/syncs/$syncId", params: { syncId } });
  };
  if (running && !isAsking) {
    return (
      <Button
        variant="default"
        renderRoot={(props) => <Link to="/syncs/$syncId" params={{ syncId: running.syncId }} {...props} />}
      >
        View running sync
      </Button>
    );
  }
  if (!isOperator) return null;
  return (
    <>
      <Button variant={again ? "default" : "filled"} onClick={() => setAsking(true)}>
        {again ? "Start another full sync" : "Start full sync"}
      </Button>
      <ConfirmDialog
        opened={isAsking}
        title="Start a full sync?"
        confirmLabel="Start full sync"
        busy={trigger.isPending}
        error={trigger.error}
        onClose={() => {
          setAsking(false);
          trigger.reset();
        }}
        onConfirm={() =>
          trigger.mutate(reason.trim(), {
            onSuccess: ({ syncId }) => open(syncId),
            onError: (thrown) => {
              const { code, members } = asProblem(thrown);
              if (code !== "full_sync_running" || typeof members.runningSyncId !== "string") return;
              open(members.runningSyncId);
              notifications.show({
                title: "A full sync is already running",
                message: "No second one was started. This page shows the running one.",
                color: "blue",
              });
            },
          })
        }
      >
        <p>
          It reads all approved companies, vessels, equipment and users from the onboarding portal and writes
          what has changed. Newer edits in the maintenance portal are kept. You can cancel it at any time.
        </p>
        <TextInput
          label="Reason"
          description="Optional. Shown with the sync and in the audit log."
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          maxLength={500}
          autoComplete="off"
        />
      </ConfirmDialog>
    </>
  );
}
