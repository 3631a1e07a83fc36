import { Button } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { getRecord } from "../../api/queries/records";
import { useTriggerSync } from "../../api/queries/sync-commands";
import type { SyncDetail } from "../../api/types";
import { plural } from "../../format/numbers";
import { OUTCOMES } from "../../format/states";
import { requestLike, vesselsOf } from "../../format/sync-request";
import { tallyOf } from "../../format/tally";
import { ConfirmDialog } from "../../ui/confirm-dialog";

/** Does what a dry run has shown: starts a sync of the same records that writes. Absent where no request can name them. */
export function RunDryRun({ sync }: { sync: SyncDetail }) {
  const navigate = useNavigate();
  const trigger = useTriggerSync();
  const [isOpen, setOpen] = useState(false);
  const vessels = vesselsOf(sync);
  // A request names vessels by their IMO numbers.
  const records = useQueries({ queries: vessels.map((id) => getRecord("vessel", id)) });
  const imos = records.map(
    ({ data }) => (data?.particulars as { imoNumber?: unknown } | undefined)?.imoNumber,
  );
  const known = imos.filter((imo): imo is string => typeof imo === "string");
  const request = known.length === vessels.length ? requestLike(sync, known) : null;
  if (!request) return null;
  const { total } = tallyOf(sync.counts);
  const effects = OUTCOMES.filter(
    ({ key }) => key !== "unchanged" && key !== "skipped" && total[key] > 0,
  ).map(({ key, word }) => `${word.toLowerCase()} ${plural(total[key], "record")}`);
  const close = () => {
    setOpen(false);
    trigger.reset();
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>Run it</Button>
      <ConfirmDialog
        opened={isOpen}
        title="Run this sync for real?"
        confirmLabel="Run it"
        busy={trigger.isPending}
        error={trigger.error}
        onClose={close}
        onConfirm={() =>
          trigger.mutate(
            { ...request, ...(sync.reason ? { reason: sync.reason } : {}) },
            {
              onSuccess: ({ syncId }) => {
                close();
                navigate({ to: "/syncs/$syncId", params: { syncId } });
              },
            },
          )
        }
      >
        <p>
          A new sync reads the same records again and writes what has changed.{" "}
          {effects.length > 0
            ? `The dry run found: ${effects.join(", ")}. What has changed since then is synced, too.`
            : "The dry run found nothing to change."}
        </p>
      </ConfirmDialog>
    </>
  );
}
