import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { getConflict, useResolveConflict } from "../../api/queries/conflicts";
import { useHasRole } from "../../api/session";
import type { Conflict, Side } from "../../api/types";
import { plural } from "../../format/numbers";
import { fieldLabel } from "../../format/record-fields";
import { CONFLICT_STATES, conflictKind, labelOf } from "../../format/states";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { Fact, FactList } from "../../ui/fact-list";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import { QueryResult } from "../../ui/query-result";
import { RecordId, RecordLink } from "../../ui/record-link";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { type Choices, FieldTable, SIDE_NAMES, valueText } from "./field-table";

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
        <RecordLink recordType={conflict.recordType} sourceId={conflict.sourceId}>
          {conflict.label ?? conflict.sourceId}
        </RecordLink>
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
      <Sides conflict={conflict} />
      <ConflictFacts conflict={conflict} />
    </div>
  );
}

const POLICY_WORDS: Record<string, string> = {
  last_write_wins: "The last write wins",
  source_wins: "The onboarding portal wins",
  manual: "An operator decides",
};

/** Which policy was in force, and whose values the record got by it. */
const policySentence = ({ policy, winner }: Conflict): string =>
  `${POLICY_WORDS[policy] ?? policy.replaceAll("_", " ")}: the record has the values of the ${SIDE_NAMES[winner] ?? winner}.`;

function ConflictFacts({ conflict }: { conflict: Conflict }) {
  return (
    <FactList>
      <Fact name="Policy">{policySentence(conflict)}</Fact>
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
        <RecordId recordType={conflict.recordType} sourceId={conflict.sourceId} />
      </Fact>
      {conflict.resolvedAt && (
        <Fact name="Resolved">
          <Time iso={conflict.resolvedAt} full /> by {conflict.resolvedBy} ({conflict.resolution})
        </Fact>
      )}
    </FactList>
  );
}

/** Both sides of each field, and the decision. */
function Sides({ conflict }: { conflict: Conflict }) {
  const isOperator = useHasRole("operator");
  const [choices, setChoices] = useState<Choices>({});
  const isOpen = conflict.state === "open";
  const names = Object.keys(conflict.fields);
  const canChoose = isOpen && isOperator && !conflict.withdrawal && names.length > 1;
  return (
    <>
      <FieldTable
        conflict={conflict}
        choices={isOpen ? choices : (conflict.resolvedFields ?? {})}
        {...(canChoose
          ? { onChoose: (name: string, side: Side) => setChoices((old) => ({ ...old, [name]: side })) }
          : {})}
      />
      {isOpen && <Resolve conflict={conflict} choices={choices} />}
    </>
  );
}

type Decision = "source" | "local" | "keep" | "fields";

/** The decision. The dialog says beforehand what it does beside writing fields: above all, that it withdraws. */
export function Resolve({ conflict, choices = {} }: { conflict: Conflict; choices?: Choices }) {
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
  const chosen = Object.entries(choices);
  const confirm = () => {
    if (!decision) return;
    const body = decision === "fields" ? { resolution: decision, fields: choices } : { resolution: decision };
    resolve.mutate(body, { onSuccess: close });
  };
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
        {chosen.length > 0 && (
          <Button onClick={() => setDecision("fields")}>Use {plural(chosen.length, "chosen field")}</Button>
        )}
      </span>
      <ConfirmDialog
        opened={decision !== null}
        title={withdraws ? "Withdraw the record?" : "Resolve the conflict?"}
        confirmLabel={withdraws ? "Withdraw" : "Resolve"}
        danger={withdraws}
        busy={resolve.isPending}
        error={resolve.error}
        onClose={close}
        onConfirm={confirm}
      >
        <p className={text.strong}>
          <bdi className={text.breakAnywhere}>{conflict.label ?? conflict.sourceId}</bdi>
        </p>
        <p>{decision && DECISION_TEXTS[decision]}</p>
        {decision === "fields" && (
          <ul>
            {chosen.map(([name, side]) => (
              <li key={name}>
                {fieldLabel(name)}: {SIDE_NAMES[side]}, “
                <bdi className={text.breakAnywhere}>{valueText(conflict.fields[name]?.[side])}</bdi>”
              </li>
            ))}
          </ul>
        )}
        {effect && <p className={withdraws ? text.strong : undefined}>{effect}</p>}
      </ConfirmDialog>
    </>
  );
}

const DECISION_TEXTS: Record<Decision, string> = {
  keep: "The record stays as it is. The same two versions are no conflict any more.",
  source: "The record gets the values of the onboarding portal.",
  local: "The record gets the values of the maintenance portal.",
  fields: "The record gets these values. All other fields stay as they are.",
};
