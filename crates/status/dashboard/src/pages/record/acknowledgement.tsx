import { Button, NumberInput } from "@mantine/core";
import { useState } from "react";
import { asProblem, errorsByField } from "../../api/problem";
import { useAcknowledgeRejection, useWithdrawAcknowledgement } from "../../api/queries/records";
import { serverNow } from "../../api/server-clock";
import type { RecordDetail, StandingError } from "../../api/types";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { Note } from "../../ui/note";
import { ReasonField, useRequiredReason } from "../../ui/reason-field";
import { Time } from "../../ui/time";

const DAY_MS = 24 * 60 * 60 * 1000;
/** As many days as the service accepts. */
const LONGEST_DAYS = 400;

/** Of a rejected record: what an operator has said of it, and the way to say it. `canAct`: by the role of the operator. */
export function RejectionNote({ record, canAct }: { record: RecordDetail; canAct: boolean }) {
  const known = record.acknowledgement;
  if (!known) {
    return canAct ? (
      <Note
        tone="neutral"
        label="Acknowledgement"
        title="Is this rejection known?"
        actions={<AcknowledgeAction record={record} />}
      >
        <p>Until a date of your choice it can be counted apart from what needs attention.</p>
      </Note>
    ) : null;
  }
  return (
    <Note
      tone={known.holds ? "neutral" : "warn"}
      label="Acknowledgement"
      title={known.holds ? "This rejection is known" : "This rejection is no longer covered"}
      actions={
        canAct && (
          <>
            {!known.holds && <AcknowledgeAction record={record} />}
            <WithdrawAction record={record} />
          </>
        )
      }
    >
      <p>
        <bdi>{known.acknowledgedBy}</bdi> acknowledged it until <Time iso={known.until} full />:{" "}
        <bdi>{known.reason}</bdi>
      </p>
      {!known.holds && <p>Its time has come, or something else is wrong now.</p>}
    </Note>
  );
}

/** The errors that stand about the record; undefined where the answer does not list all findings. */
function errorsShown({ findings, findingsTotal }: RecordDetail): StandingError[] | undefined {
  if (findings.length < findingsTotal) return undefined;
  return findings
    .filter((finding) => finding.severity === "error")
    .map(({ code, pointer }) => ({ code, pointer }));
}

function AcknowledgeAction({ record }: { record: RecordDetail }) {
  const acknowledge = useAcknowledgeRejection(record);
  const [isOpen, setOpen] = useState(false);
  // As the page showed them when the dialog was opened: what comes in the meantime is not acknowledged.
  const [seen, setSeen] = useState<StandingError[]>();
  const open = () => {
    setSeen(errorsShown(record));
    setOpen(true);
  };
  const reason = useRequiredReason("Say why nothing is to be done for now.");
  const [days, setDays] = useState<number | string>(30);
  const errors = errorsByField(acknowledge.error ? asProblem(acknowledge.error) : null);
  const close = () => {
    setOpen(false);
    reason.forgetError();
    acknowledge.reset();
  };
  const confirm = () => {
    const given = reason.check();
    if (given === undefined || typeof days !== "number") return;
    const until = new Date(serverNow() + days * DAY_MS).toISOString();
    acknowledge.mutate({ reason: given, until, ...(seen && { errors: seen }) }, { onSuccess: close });
  };
  return (
    <>
      <Button variant="default" size="xs" onClick={open}>
        Acknowledge
      </Button>
      <ConfirmDialog
        opened={isOpen}
        title="Acknowledge this rejection?"
        confirmLabel="Acknowledge"
        busy={acknowledge.isPending}
        error={Object.keys(errors).length > 0 ? null : acknowledge.error}
        onClose={close}
        onConfirm={confirm}
      >
        <p>
          The overview counts the record apart until then. It is seen again when anything else is wrong with
          it, and once it has been accepted.
        </p>
        <ReasonField value={reason.value} onChange={reason.onChange} error={errors.reason ?? reason.error} />
        <NumberInput
          label="For how many days"
          min={1}
          max={LONGEST_DAYS}
          allowDecimal={false}
          value={days}
          onChange={setDays}
          error={errors.until ?? (typeof days === "number" ? undefined : "Enter a number of days.")}
        />
      </ConfirmDialog>
    </>
  );
}

function WithdrawAction({ record }: { record: RecordDetail }) {
  const withdraw = useWithdrawAcknowledgement(record);
  const [isOpen, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    withdraw.reset();
  };
  return (
    <>
      <Button variant="default" size="xs" onClick={() => setOpen(true)}>
        Take back
      </Button>
      <ConfirmDialog
        opened={isOpen}
        title="Take back the acknowledgement?"
        confirmLabel="Take back"
        busy={withdraw.isPending}
        error={withdraw.error}
        onClose={close}
        onConfirm={() => withdraw.mutate(undefined, { onSuccess: close })}
      >
        <p>The rejection needs attention again.</p>
      </ConfirmDialog>
    </>
  );
}
