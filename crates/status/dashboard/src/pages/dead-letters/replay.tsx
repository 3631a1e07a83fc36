import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { listDeadLetterGroups, planReplay, useReplayDeadLetters } from "../../api/queries/dead-letters";
import type { ReplayPlan, ReplayRequest } from "../../api/types";
import { formatCount, plural } from "../../format/numbers";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { QueryResult } from "../../ui/query-result";
import text from "../../ui/text.module.css";
import styles from "./replay.module.css";

/** Replays one dead letter (by id) or many, after confirmation. */
export function Replay(props: {
  target: string | ReplayRequest;
  onStarted: (jobId: string) => void;
  children: (open: () => void) => ReactNode;
}) {
  const { target, onStarted } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      {props.children(() => setOpen(true))}
      {isOpen && <ReplayDialog target={target} onStarted={onStarted} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Says by a plan of the server how many dead letters are replayed, and which. */
function ReplayDialog(props: {
  target: string | ReplayRequest;
  onStarted: (jobId: string) => void;
  onClose: () => void;
}) {
  const { target, onStarted, onClose } = props;
  const replay = useReplayDeadLetters(({ jobId }) => {
    onStarted(jobId);
    onClose();
  });
  const isOne = typeof target === "string";
  const plan = useQuery(planReplay(isOne ? { ids: [target] } : target));
  const count = plan.data?.replaying;
  const subject = count === undefined ? "dead letters" : plural(count, "dead letter");
  return (
    <ConfirmDialog
      opened
      title={`Replay ${subject}?`}
      confirmLabel={`Replay ${subject}`}
      busy={replay.isPending}
      disabled={!count}
      error={replay.error}
      onClose={onClose}
      onConfirm={() => replay.mutate(target)}
    >
      <QueryResult query={plan} lines={2}>
        {(plan) => <PlanText plan={plan} />}
      </QueryResult>
      {!isOne && <Causes of={target} />}
    </ConfirmDialog>
  );
}

function PlanText({ plan: { matching, replaying } }: { plan: ReplayPlan }) {
  if (replaying === 0) return <p>No dead letter is left to be replayed: all are processed or in progress.</p>;
  const isOne = replaying === 1;
  return (
    <>
      <p>
        {isOne ? "It goes back to its queue" : "They go back to their queues"} with a new budget of attempts.
        If the cause is still there, {isOne ? "it fails and comes" : "they fail and come"} back here.
      </p>
      {matching > replaying && (
        <p>
          These are the oldest of {formatCount(matching)}. Replay the other{" "}
          {formatCount(matching - replaying)} afterwards.
        </p>
      )}
    </>
  );
}

const SHOWN_CAUSES = 5;

/** The causes of the dead letters that wait and are replayed, the most recent first. */
function Causes({ of: { recordType, sourceId } }: { of: ReplayRequest }) {
  const filter = {
    state: "dead" as const,
    recordType: recordType ?? undefined,
    sourceId: sourceId ?? undefined,
  };
  const groups = useQuery(listDeadLetterGroups({ limit: SHOWN_CAUSES, offset: 0 }, filter));
  if (!groups.data || groups.data.data.length === 0) return null;
  const others = groups.data.pagination.total - groups.data.data.length;
  return (
    <section aria-label="Causes">
      <h3>Causes</h3>
      <ul className={styles.causes}>
        {groups.data.data.map((group) => (
          <li key={`${group.fingerprint} ${group.queue}`}>
            <span className={text.strong}>{formatCount(group.dead)}</span>
            <bdi className={`${text.sentence} ${text.breakAnywhere}`}>{group.reason}</bdi>
          </li>
        ))}
      </ul>
      {others > 0 && <p className={text.dim}>and {plural(others, "other cause")}</p>}
    </section>
  );
}
