import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAcceptOlderRecords } from "../../api/queries/sync-commands";
import { getOlderRecords, listOlderRecords } from "../../api/queries/syncs";
import { useHasRole } from "../../api/session";
import type { OlderRecords as Found, SyncDetail } from "../../api/types";
import { formatCount, plural } from "../../format/numbers";
import { isOpen, recordTypeNames } from "../../format/states";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { Note } from "../../ui/note";
import { RecordNames } from "../../ui/record-names";

/** Offers to accept the onboarding portal's state where it is older than the one here. Absent without such records. */
export function OlderRecords({ sync }: { sync: SyncDetail }) {
  const older = useQuery({
    ...getOlderRecords(sync.syncId),
    enabled: !isOpen(sync.state) && !sync.dryRun && sync.findings > 0,
  });
  if (!older.data || older.data.records === 0) return null;
  return <OlderRecordsNote found={older.data} />;
}

export function OlderRecordsNote({ found }: { found: Found }) {
  const isOperator = useHasRole("operator");
  const accept = useAcceptOlderRecords(found.syncId);
  const navigate = useNavigate();
  const [isDialogOpen, setDialogOpen] = useState(false);
  const records = plural(found.records, "record");
  const close = () => {
    setDialogOpen(false);
    accept.reset();
  };
  return (
    <>
      <Note
        tone="warn"
        label="Older records"
        title={`${records} ${found.records === 1 ? "is" : "are"} older in the onboarding portal than here`}
        actions={
          isOperator && (
            <Button size="xs" variant="default" onClick={() => setDialogOpen(true)}>
              Accept older state
            </Button>
          )
        }
      >
        <p>
          The onboarding portal has gone back in time, as after the restore of a backup. What is here was
          kept: {byType(found)}. {!isOperator && "An operator decides."}
        </p>
      </Note>
      <ConfirmDialog
        opened={isDialogOpen}
        title={`Accept the older state of ${records}?`}
        confirmLabel={`Accept ${records}`}
        danger
        busy={accept.isPending}
        error={accept.error}
        onClose={close}
        onConfirm={() =>
          accept.mutate(found.records, {
            onSuccess: ({ retrySyncId, records, left }) => {
              close();
              navigate({ to: "/syncs/$syncId", params: { syncId: retrySyncId } });
              notifications.show({
                title: "Older state accepted",
                message: `This sync reads ${plural(records, "record")} again.${left > 0 ? ` ${formatCount(left)} are left: accept them afterwards.` : ""}`,
                color: "blue",
              });
            },
          })
        }
      >
        <p>
          A new sync reads exactly these records ({byType(found)}) again and replaces what is here by the
          state of the onboarding portal. Edits of the maintenance portal stay, and become conflicts.
        </p>
        {isDialogOpen && <OlderNames found={found} />}
      </ConfirmDialog>
    </>
  );
}

/** Which records they are, by name. */
function OlderNames({ found }: { found: Found }) {
  const report = useQuery(listOlderRecords(found.syncId)).data;
  const names = [...new Set(report?.findings.map(({ label, sourceId }) => label ?? sourceId))];
  return <RecordNames names={names} total={found.records} />;
}

/** `2 vessels, 1 user` */
const byType = (found: Found): string =>
  found.byType
    .map(({ recordType, records }) => {
      const { one, many } = recordTypeNames(recordType);
      return plural(records, one, recordType === "equipment" ? "equipment items" : many.toLowerCase());
    })
    .join(", ");
