import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { getConflict, useResolveConflict } from "../../api/queries";
import { useHasRole } from "../../api/session";
import type { Conflict } from "../../api/types";
import { CONFLICT_STATES, conflictKind, labelOf } from "../../format/states";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { CopyableId } from "../../ui/copyable-id";
import { Fact, FactList } from "../../ui/fact-list";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import { QueryResult } from "../../ui/query-result";
import { StateBadge } from "../../ui/state-badge";
import { columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";

/** One conflict: both sides, and the decision. */
export function ConflictDetails({ id }: { id: string }) {
  const conflict = useQuery(getConflict(id));
  return (
    <QueryResult query={conflict} lines={10}>
      {(data) => <Details conflict={data} />}
    </QueryResult>
  );
}

function Details({ conflict }: { conflict: Conflict }) {
  return (
    <div className={layout.stack}>
      <span className={layout.actions}>
        <StateBadge label={conflictKind(conflict)} />
        <StateBadge label={labelOf(CONFLICT_STATES, conflict.state)} />
      </span>
      <p className={text.strong}>
        <bdi>{conflict.label ?? conflict.sourceId}</bdi>
      </p>
      {conflict.withdrawal ? (
        <Note tone="bad" label="Withdrawal" title={conflict.summary}>
          <p>
            {conflict.winner === "source"
              ? "The withdrawal has taken effect."
              : "The record is active here until an operator has decided."}
          </p>
        </Note>
      ) : (
        <p className={text.sentence}>
          <bdi>{conflict.summary}</bdi>
        </p>
      )}
      <FieldTable conflict={conflict} />
      <ConflictFacts conflict={conflict} />
      {conflict.state === "open" && <Resolve conflict={conflict} />}
    </div>
  );
}

type FieldRow = { name: string; local: string; source: string };
const column = columnsOf<FieldRow>();
const fieldColumns = [
  column.display({
    id: "field",
    header: "Field",
    meta: { rowHeader: true },
    cell: ({ row }) => row.original.name.replaceAll("_", " "),
  }),
  column.display({
    id: "local",
    header: "Maintenance portal",
    cell: ({ row }) => <span className={text.breakAnywhere}>{row.original.local}</span>,
  }),
  column.display({
    id: "source",
    header: "Onboarding portal",
    cell: ({ row }) => <span className={text.breakAnywhere}>{row.original.source}</span>,
  }),
];

function FieldTable({ conflict }: { conflict: Conflict }) {
  const rows = Object.entries(conflict.fields).map(([name, { local, source }]) => ({
    name,
    local: valueText(local),
    source: valueText(source),
  }));
  if (rows.length === 0) return null;
  return <Table label="Fields" columns={fieldColumns} data={rows} rowKey={(row) => row.name} />;
}

const valueText = (value: unknown): string =>
  value == null ? "none" : typeof value === "string" ? value : JSON.stringify(value);

function ConflictFacts({ conflict }: { conflict: Conflict }) {
  return (
    <FactList>
      <Fact name="Maintenance portal, edited">
        <Time iso={conflict.localAt} full />
      </Fact>
      <Fact name="Onboarding portal, changed">
        <Time iso={conflict.sourceAt} full />
      </Fact>
      <Fact name="Found">
        <Time iso={conflict.openedAt} full />
        {conflict.syncId && (
          <>
            {" by a "}
            <Link to="/syncs/$syncId" params={{ syncId: conflict.syncId }}>
              sync
            </Link>
          </>
        )}
      </Fact>
      <Fact name="Record">
        {conflict.recordType} <CopyableId text={conflict.sourceId} name="record ID" />
      </Fact>
      {conflict.resolvedAt && (
        <Fact name="Resolved">
          <Time iso={conflict.resolvedAt} full /> by {conflict.resolvedBy} ({conflict.resolution})
        </Fact>
      )}
    </FactList>
  );
}

type Decision = "source" | "local" | "keep";

/** The decision. The dialog says beforehand what it does beside writing fields: above all, that it withdraws. */
export function Resolve({ conflict }: { conflict: Conflict }) {
  const isOperator = useHasRole("operator");
  const resolve = useResolveConflict(conflict.id);
  const [decision, setDecision] = useState<Decision | null>(null);
  if (!isOperator) return <p className={text.dim}>An operator decides.</p>;
  const close = () => {
    setDecision(null);
    resolve.reset();
  };
  const effect =
    decision === "source" ? conflict.sourceEffect : decision === "local" ? conflict.localEffect : null;
  const withdraws = decision !== null && decision === conflict.withdrawal?.side;
  return (
    <>
      <span className={layout.actions}>
        <Button variant="default" onClick={() => setDecision("keep")}>
          Keep as it is
        </Button>
        <Button variant="default" onClick={() => setDecision("local")}>
          Use maintenance portal
        </Button>
        <Button
          onClick={() => setDecision("source")}
          {...(conflict.withdrawal?.side === "source" ? { variant: "danger" } : {})}
        >
          {conflict.withdrawal?.side === "source" ? "Withdraw" : "Use onboarding portal"}
        </Button>
      </span>
      <ConfirmDialog
        opened={decision !== null}
        title={withdraws ? "Withdraw the record?" : "Resolve the conflict?"}
        confirmLabel={withdraws ? "Withdraw" : "Resolve"}
        danger={withdraws}
        busy={resolve.isPending}
        error={resolve.error}
        onClose={close}
        onConfirm={() => decision && resolve.mutate(decision, { onSuccess: close })}
      >
        <p>
          {decision === "keep"
            ? "The record stays as it is. The same two versions are no conflict any more."
            : `The record gets the values of the ${decision === "source" ? "onboarding" : "maintenance"} portal.`}
        </p>
        {effect && <p className={withdraws ? text.strong : undefined}>{effect}</p>}
      </ConfirmDialog>
    </>
  );
}
