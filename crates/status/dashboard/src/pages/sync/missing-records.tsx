import { Button } from "@mantine/core";
import { useState } from "react";
import { asProblem } from "../../api/problem";
import { useConfirmSync } from "../../api/queries/sync-commands";
import { useHasRole } from "../../api/session";
import type { MissingPolicy, SyncDetail } from "../../api/types";
import { plural } from "../../format/numbers";
import { recordTypeNames } from "../../format/states";
import { tallyOf } from "../../format/tally";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import { ProblemNote } from "../../ui/problem-note";
import { RecordNames } from "../../ui/record-names";

/** Asks what to do with records that the onboarding portal no longer lists, when the sync may not decide by itself. */
export function MissingRecords({ sync }: { sync: SyncDetail }) {
  const isOperator = useHasRole("operator");
  const confirm = useConfirmSync(sync.syncId);
  const [isDialogOpen, setDialogOpen] = useState(false);
  // A word of the server that this dashboard's types may not know yet.
  if ((sync.missingRecords as string | null | undefined) === "unverified") return <UnverifiedRecords />;
  if (sync.missingRecords !== "asks") return null;
  const { missing } = tallyOf(sync.counts).total;
  const records = plural(missing, "record");
  const decide = (decision: MissingPolicy) =>
    confirm.mutate(decision, { onSuccess: () => setDialogOpen(false) });
  return (
    <>
      <Note
        tone="warn"
        label="Decision needed"
        title={`${records} ${missing === 1 ? "is" : "are"} no longer in the onboarding portal`}
        actions={
          isOperator && (
            <span className={layout.actions}>
              <Button size="xs" variant="default" onClick={() => decide("keep")} loading={confirm.isPending}>
                Keep active
              </Button>
              <Button size="xs" variant="danger" onClick={() => setDialogOpen(true)}>
                Deactivate
              </Button>
            </span>
          )
        }
      >
        <p>
          Too many, or too critical, to deactivate automatically. Nothing is ever deleted.{" "}
          {!isOperator && "An operator decides."}
        </p>
      </Note>
      {confirm.error && !isDialogOpen && <ProblemNote problem={asProblem(confirm.error)} />}
      <ConfirmDialog
        opened={isDialogOpen}
        title={`Deactivate ${records}?`}
        confirmLabel={`Deactivate ${records}`}
        danger
        busy={confirm.isPending}
        error={confirm.error}
        onClose={() => {
          setDialogOpen(false);
          confirm.reset();
        }}
        onConfirm={() => decide("deactivate")}
      >
        <p>
          They are withdrawn in the maintenance portal, and users among them can no longer sign in. A record
          that the onboarding portal lists again becomes active again.
        </p>
        <RecordNames names={missingByType(sync)} total={0} />
      </ConfirmDialog>
    </>
  );
}

/** `2 vessels`, `1 user` */
const missingByType = ({ counts }: SyncDetail): string[] =>
  counts.flatMap(({ recordType, missing = 0 }) => {
    const { one, many } = recordTypeNames(recordType);
    return missing > 0
      ? [plural(missing, one, recordType === "equipment" ? "equipment items" : many.toLowerCase())]
      : [];
  });

/** Records are missing from a list that was not read whole: they may be in the part that was not read. */
export function UnverifiedRecords() {
  return (
    <Note tone="warn" label="Missing records" title="Missing records could not be verified">
      <p>The list was not read whole; nothing was withdrawn. The next full sync looks again.</p>
    </Note>
  );
}
