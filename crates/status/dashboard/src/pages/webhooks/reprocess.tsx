import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { planReprocess, useReprocessWebhooks } from "../../api/queries/webhooks";
import type { ReprocessRequest } from "../../api/types";
import { formatCount, plural } from "../../format/numbers";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { QueryResult } from "../../ui/query-result";

const showResult = (reprocessing: number) =>
  notifications.show({
    title: `Reprocessing ${plural(reprocessing, "webhook")}`,
    message: "Each starts a new sync. The list shows its state.",
    color: "blue",
  });

/** Processes one webhook anew. */
export function ReprocessOne({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  const reprocess = useReprocessWebhooks(({ reprocessing }) => {
    close();
    showResult(reprocessing);
  });
  const close = () => {
    setOpen(false);
    reprocess.reset();
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>Reprocess</Button>
      <ConfirmDialog
        opened={isOpen}
        title="Reprocess the webhook?"
        confirmLabel="Reprocess"
        busy={reprocess.isPending}
        error={reprocess.error}
        onClose={close}
        onConfirm={() => reprocess.mutate(id)}
      >
        <p>
          A new sync reads the record from the onboarding portal as it is now. Newer edits in the maintenance
          portal are kept.
        </p>
      </ConfirmDialog>
    </>
  );
}

/** Processes all webhooks anew that match the filters, after their number was shown. */
export function ReprocessMany({ filter }: { filter: NonNullable<ReprocessRequest["filter"]> }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Reprocess these
      </Button>
      {isOpen && <ManyDialog request={{ filter }} onClose={() => setOpen(false)} />}
    </>
  );
}

function ManyDialog({ request, onClose }: { request: ReprocessRequest; onClose: () => void }) {
  const reprocess = useReprocessWebhooks(({ reprocessing }) => {
    onClose();
    showResult(reprocessing);
  });
  const plan = useQuery(planReprocess(request));
  const count = plan.data && Math.min(plan.data.matching, plan.data.atMost);
  const subject = count === undefined ? "webhooks" : plural(count, "webhook");
  return (
    <ConfirmDialog
      opened
      title={`Reprocess ${subject}?`}
      confirmLabel={`Reprocess ${subject}`}
      busy={reprocess.isPending}
      disabled={!count}
      error={reprocess.error}
      onClose={onClose}
      onConfirm={() => reprocess.mutate(request)}
    >
      <QueryResult query={plan} lines={2}>
        {({ matching, atMost }) =>
          matching === 0 ? (
            <p>
              None of the webhooks that match the filters can be reprocessed: they are ignored, or in
              progress.
            </p>
          ) : (
            <>
              <p>
                Each starts a new sync, which reads its record as it is now. Ignored webhooks and those in
                progress are left out.
              </p>
              {matching > atMost && (
                <p>
                  These are the oldest of {formatCount(matching)}. Reprocess the other{" "}
                  {formatCount(matching - atMost)} afterwards.
                </p>
              )}
            </>
          )
        }
      </QueryResult>
    </ConfirmDialog>
  );
}
