import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem } from "../../api/problem";
import { useUndoSync } from "../../api/queries/sync-commands";
import { getUndo, planUndo } from "../../api/queries/syncs";
import type { SyncDetail, Undo, UndoneRecord } from "../../api/types";
import { plural } from "../../format/numbers";
import { isOpen, labelOf, UNDO_RESULTS, undoReasonText } from "../../format/states";
import { tallyOf } from "../../format/tally";
import { Card } from "../../ui/card";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { EmptyState } from "../../ui/empty-state";
import { Note } from "../../ui/note";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import { NamedRecordLink } from "../../ui/record-link";
import { StateBadge } from "../../ui/state-badge";
import { columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";

const PAGE_SIZE = 20;
/** A plan does the undo and takes it back, and locks its rows meanwhile: of more records none is made by opening a dialog. */
const PLANNED_RECORDS = 1_000;
const route = getRouteApi("/syncs/$syncId");

/** Whether the sync has ended, and has written something that an undo could take back. */
export function canUndo(sync: SyncDetail): boolean {
  const { created, updated, deactivated } = tallyOf(sync.counts).total;
  return !sync.dryRun && !isOpen(sync.state) && created + updated + deactivated > 0;
}

/** Takes back what a sync has written, after saying what that is. */
export function UndoAction({ sync }: { sync: SyncDetail }) {
  const undo = useUndoSync(sync.syncId);
  const navigate = route.useNavigate();
  const [isDialogOpen, setDialogOpen] = useState(false);
  const { created, updated, deactivated } = tallyOf(sync.counts).total;
  const isPlanned = created + updated + deactivated <= PLANNED_RECORDS;
  const plan = useQuery({ ...planUndo(sync.syncId), enabled: isDialogOpen && isPlanned });
  const close = () => {
    setDialogOpen(false);
    undo.reset();
  };
  const show = () => {
    close();
    navigate({ search: { undo: 1 }, hash: "undo", resetScroll: false });
  };
  const isUndone = undo.error !== null && asProblem(undo.error).code === "undone_already";
  const restored = updated + deactivated;
  return (
    <>
      <Button variant="default" onClick={() => setDialogOpen(true)}>
        Undo
      </Button>
      <ConfirmDialog
        opened={isDialogOpen}
        title="Undo this sync?"
        confirmLabel={isUndone ? "Show what the undo did" : "Undo sync"}
        danger={!isUndone}
        size="md"
        busy={undo.isPending}
        error={isUndone ? null : undo.error}
        onClose={close}
        onConfirm={() => (isUndone ? show() : undo.mutate(undefined, { onSuccess: show }))}
      >
        {isUndone ? (
          <Note tone="neutral" title="This sync was undone before" />
        ) : (
          <>
            <ul>
              {restored > 0 && (
                <li>
                  {plural(restored, "record")} that it updated or deactivated{" "}
                  {restored === 1 ? "gets" : "get"} the earlier values back.
                </li>
              )}
              {created > 0 && (
                <li>
                  {plural(created, "record")} that it created {created === 1 ? "is" : "are"} withdrawn. Users
                  among them can no longer sign in.
                </li>
              )}
            </ul>
            {plan.data && <p>As things stand: {undoSentence(plan.data)}</p>}
            <p>
              Records that were changed since then, or that others refer to, are skipped, and listed with the
              reason. Nothing is deleted. Conflicts that the sync met stay open. Later syncs do not write the
              same version again.
            </p>
            <p className={text.strong}>
              An undo cannot be undone, and the sync cannot be resumed afterwards.
            </p>
          </>
        )}
      </ConfirmDialog>
    </>
  );
}

const column = columnsOf<UndoneRecord>();
const columns = [
  column.display({
    id: "record",
    header: "Record",
    cell: ({ row: { original } }) => (
      <NamedRecordLink recordType={original.recordType} sourceId={original.sourceId} />
    ),
  }),
  column.display({
    id: "result",
    header: "Result",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(UNDO_RESULTS, row.original.result)} />,
  }),
  column.display({
    id: "reason",
    header: "Why it was skipped",
    meta: { narrow: "line" },
    cell: ({ row }) => row.original.reason && undoReasonText(row.original.reason),
  }),
];

/** What the undo of the sync did, record by record. Shown where the address asks for it: no sync says that it was undone. */
export function UndoneRecords({ syncId }: { syncId: string }) {
  const { undo: page } = route.useSearch();
  const navigate = route.useNavigate();
  const undo = useQuery({
    ...getUndo(syncId, { limit: PAGE_SIZE, offset: ((page ?? 1) - 1) * PAGE_SIZE }),
    enabled: page !== undefined,
  });
  if (page === undefined) return null;
  return (
    <Card title="Undo" id="undo">
      <QueryResult query={undo} lines={4}>
        {(data) =>
          data === null ? (
            <EmptyState title="Not undone">This sync was not undone.</EmptyState>
          ) : (
            <>
              <p>
                Undone by <bdi>{data.undoneBy}</bdi> <Time iso={data.undoneAt} full />. {undoSentence(data)}
              </p>
              <Table
                label="Undone records"
                columns={columns}
                data={data.records}
                rowKey={(row) => `${row.recordType} ${row.sourceId}`}
              />
              <Pager
                page={page}
                pageSize={PAGE_SIZE}
                total={data.pagination}
                itemNoun="undone records"
                onPage={(next) => navigate({ search: (old) => ({ ...old, undo: next }), resetScroll: false })}
              />
            </>
          )
        }
      </QueryResult>
    </Card>
  );
}

export const undoSentence = ({ restored, withdrawn, skipped }: Undo): string =>
  `${plural(restored, "record")} restored, ${plural(withdrawn, "record")} withdrawn, ${plural(skipped, "record")} skipped.`;
