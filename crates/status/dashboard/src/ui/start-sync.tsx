import { Button, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem } from "../api/problem";
import { getOverview, useTriggerSync } from "../api/queries";
import { useMay } from "../api/session";
import { Confirm } from "./confirm";

/** Starts a full sync, or leads to the one that runs: there is at most one. */
export function StartSync({ again = false }: { again?: boolean }) {
  const may = useMay("operator");
  const navigate = useNavigate();
  const trigger = useTriggerSync();
  const running = useQuery(getOverview()).data?.running.find((run) => run.mode === "full");
  const [asked, setAsked] = useState(false);
  const [reason, setReason] = useState("");
  const open = (syncId: string) => {
    setAsked(false);
    setReason("");
    trigger.reset();
    navigate({ to: "/syncs/$syncId", params: { syncId } });
  };
  if (running && !asked) {
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
  return (
    <>
      <Button variant={again ? "default" : "filled"} onClick={() => setAsked(true)}>
        {again ? "Start another full sync" : "Start full sync"}
      </Button>
      <Confirm
        opened={asked}
        title="Start a full sync?"
        deed="Start full sync"
        busy={trigger.isPending}
        error={trigger.error}
        onClose={() => {
          setAsked(false);
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
                title: "A full sync was already under way",
                message: "This is it. No other was started.",
                color: "blue",
              });
            },
          })
        }
      >
        <p>
          It reads every approved company, vessel, piece of equipment and user from the onboarding portal and
          writes what has changed. Newer edits in the maintenance portal stay. It can be cancelled at any
          time.
        </p>
        <TextInput
          label="Reason"
          description="If you like: it is kept with the sync and in the audit log."
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          maxLength={500}
          autoComplete="off"
        />
      </Confirm>
    </>
  );
}
