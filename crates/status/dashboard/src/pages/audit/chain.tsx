import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { asProblem, errorsByField } from "../../api/problem";
import { useVerifyAudit } from "../../api/queries/audit";
import type { AuditChain } from "../../api/types";
import { capitalize } from "../../format/capitalize";
import { formatCount, plural } from "../../format/numbers";
import type { StateLabel } from "../../format/states";
import { Card } from "../../ui/card";
import { CopyableId } from "../../ui/copyable-id";
import { Fact, FactList } from "../../ui/fact-list";
import { ProblemNote } from "../../ui/problem-note";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import styles from "./audit.module.css";

/** Verifies that no entry of the audit log was changed, added or deleted. */
export function Chain() {
  const [noted, setNoted] = useState("");
  const verify = useVerifyAudit();
  const errors = errorsByField(verify.error ? asProblem(verify.error) : null);
  const run = () => verify.mutate(noted.trim() || undefined);
  return (
    <Card
      title="Chain of the entries"
      aside={
        <Button size="xs" variant="default" loading={verify.isPending} onClick={run}>
          {verify.data ? "Verify again" : "Verify the chain"}
        </Button>
      }
    >
      <div className={styles.chain}>
        <p className={text.dim}>
          Each entry holds a hash of the one before it, so that an entry that is changed, added or deleted
          breaks the chain.
        </p>
        <div role="status">{verify.data && <Verdict chain={verify.data} />}</div>
        {verify.error && !errors.expect && <ProblemNote problem={asProblem(verify.error)} />}
        <details>
          <summary className={text.summary}>Compare with an end that was noted earlier</summary>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (!verify.isPending) run();
            }}
          >
            <TextInput
              label="End that was noted earlier"
              description="Then verifying also finds out whether the whole chain was written anew since."
              value={noted}
              onChange={(event) => setNoted(event.currentTarget.value)}
              error={errors.expect}
              autoComplete="off"
              spellCheck={false}
            />
          </form>
        </details>
      </div>
    </Card>
  );
}

const INTACT: StateLabel = { tone: "good", icon: "check", word: "Intact" };
const BROKEN: StateLabel = { tone: "bad", icon: "cross", word: "Broken" };
const EMPTY: StateLabel = { tone: "neutral", icon: "skip", word: "No entries" };
const NOT_COMPARED: StateLabel = { tone: "warn", icon: "warning", word: "Not compared" };

/** Green only of entries that were verified. */
function labelOfChain({ intact, rows, problem }: AuditChain): StateLabel {
  if (!intact) return BROKEN;
  if (problem) return NOT_COMPARED;
  return rows ? INTACT : EMPTY;
}

function Verdict({ chain }: { chain: AuditChain }) {
  const { rows, purgedUntil, end, problem, checkedAt } = chain;
  return (
    <div className={styles.verdict}>
      <p>
        <StateBadge label={labelOfChain(chain)} />{" "}
        <span className={text.strong}>
          {problem ? capitalize(problem) : `${plural(rows ?? 0, "entry", "entries")} verified`}
        </span>{" "}
        <span className={text.dim}>
          <Time iso={checkedAt} full />
        </span>
      </p>
      <FactList>
        {!!purgedUntil && (
          <Fact name="Deleted by retention">
            the first {formatCount(purgedUntil)}, before those that were verified
          </Fact>
        )}
        {end && (
          <Fact name="End of the chain">
            <CopyableId text={end} name="end of the chain" length={24} />{" "}
            <span className={text.dim}>Note it in another place, and compare it later.</span>
          </Fact>
        )}
      </FactList>
    </div>
  );
}
