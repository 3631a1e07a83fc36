import { Button } from "@mantine/core";
import { useState } from "react";
import { asProblem } from "../../api/problem";
import { useConfirmSync } from "../../api/queries";
import { useMay } from "../../api/session";
import type { MissingPolicy, SyncDetail } from "../../api/types";
import { plural } from "../../format/numbers";
import { account } from "../../format/tally";
import { Confirm } from "../../ui/confirm";
import { ProblemNote } from "../../ui/query-result";

/** Records that are here and not listed any more, when they are too many to be deactivated without a word. */
export function MissingQuestion({ run }: { run: SyncDetail }) {
  const may = useMay("operator");
  const confirm = useConfirmSync(run.syncId);
  const [asked, setAsked] = useState(false);
  if (run.missingRecords !== "asks") return null;
  const gone = plural(account(run.counts).total.gone, "record");
  const decide = (decision: MissingPolicy) => confirm.mutate(decision, { onSuccess: () => setAsked(false) });
  return (
    <>
      <section className="note" data-tone="warn" aria-label="A question">
        <div>
          <p className="note-title">{gone} not listed by the onboarding portal any more</p>
          <p>
            They are too many, or too important, to be deactivated without a person's word. Nothing is ever
            deleted. {!may && "An operator decides."}
          </p>
        </div>
        {may && (
          <span className="actions">
            <Button size="xs" variant="default" onClick={() => decide("keep")} loading={confirm.isPending}>
              Keep them
            </Button>
            <Button size="xs" className="danger" onClick={() => setAsked(true)}>
              Deactivate them
            </Button>
          </span>
        )}
      </section>
      {confirm.error && !asked && <ProblemNote problem={asProblem(confirm.error)} />}
      <Confirm
        opened={asked}
        title={`Deactivate ${gone}?`}
        deed={`Deactivate ${gone}`}
        danger
        busy={confirm.isPending}
        error={confirm.error}
        onClose={() => {
          setAsked(false);
          confirm.reset();
        }}
        onConfirm={() => decide("deactivate")}
      >
        <p>
          They are withdrawn in the maintenance portal, and users among them are locked out. A record that the
          onboarding portal lists again is active again.
        </p>
      </Confirm>
    </>
  );
}
