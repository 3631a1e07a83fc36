import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTriggerSync } from "../../api/queries/sync-commands";
import { useHasRole } from "../../api/session";
import type { RecordDetail } from "../../api/types";
import { recordName } from "../../format/records";
import { ConfirmDialog } from "../../ui/confirm-dialog";

/** Starts a sync of one vessel. Absent without an IMO number, by which a request names it. */
export function SyncVessel({ vessel }: { vessel: RecordDetail }) {
  const isOperator = useHasRole("operator");
  const trigger = useTriggerSync();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const { imoNumber } = vessel.particulars as { imoNumber?: unknown };
  if (!isOperator || typeof imoNumber !== "string") return null;
  const close = () => {
    setOpen(false);
    trigger.reset();
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Sync this vessel
      </Button>
      <ConfirmDialog
        opened={isOpen}
        title={`Sync ${recordName(vessel)}?`}
        confirmLabel="Start sync"
        busy={trigger.isPending}
        error={trigger.error}
        onClose={close}
        onConfirm={() =>
          trigger.mutate(
            { mode: "selective", vesselImos: [imoNumber] },
            { onSuccess: ({ syncId }) => navigate({ to: "/syncs/$syncId", params: { syncId } }) },
          )
        }
      >
        <p>
          It reads the vessel, its equipment and its users from the onboarding portal and writes what has
          changed. Newer edits in the maintenance portal are kept.
        </p>
      </ConfirmDialog>
    </>
  );
}
