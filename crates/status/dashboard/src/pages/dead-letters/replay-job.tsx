import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "../../api/problem";
import { getReplayJob, listReplayItems, useCancelReplayJob } from "../../api/queries/dead-letters";
import { useHasRole } from "../../api/session";
import type { ReplayJob } from "../../api/types";
import { formatCount, percentOf, plural } from "../../format/numbers";
import { labelOf, REPLAY_ITEM_STATES, REPLAY_STATES, type StateLabel } from "../../format/states";
import { Announcement } from "../../ui/announcement";
import { Card } from "../../ui/card";
import layout from "../../ui/layout.module.css";
import { ProblemNote } from "../../ui/problem-note";
import { QueryResult } from "../../ui/query-result";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import styles from "./replay.module.css";

/** A replay job: its progress while it runs, then what became of each dead letter. */
export function ReplayJobCard({ jobId, onClose }: { jobId: string; onClose?: () => void }) {
  const job = useQuery(getReplayJob(jobId));
  return (
    <Card
      title="Replay"
      aside={
        <span className={layout.actions}>
          {job.data && <StateBadge label={jobLabel(job.data)} />}
          {job.data?.state === "running" && <CancelJob jobId={jobId} />}
          {job.data && job.data.state !== "running" && onClose && (
            <Button size="xs" variant="default" onClick={onClose}>
              Close
            </Button>
          )}
        </span>
      }
    >
      <QueryResult query={job} lines={3}>
        {(data) => <JobContent job={data} />}
      </QueryResult>
    </Card>
  );
}

/** A job whose messages failed again has completed, but is no success. */
export function jobLabel(job: ReplayJob): StateLabel {
  const label = labelOf(REPLAY_STATES, job.state);
  if (job.state !== "completed" || job.counts.died === 0) return label;
  return job.counts.succeeded === 0
    ? { tone: "bad", icon: "cross", word: "Failed again" }
    : { tone: "warn", icon: "warning", word: "Completed with failures" };
}

/** `12 of 40 dead letters are processed` */
export function jobSentence({ state, counts }: ReplayJob): string {
  const { waiting, sent, succeeded, died, cancelled } = counts;
  const total = waiting + sent + succeeded + died + cancelled;
  if (state === "running") {
    return `${formatCount(succeeded + died)} of ${plural(total, "dead letter")} ${total === 1 ? "is" : "are"} processed.`;
  }
  const parts = [
    ...(succeeded > 0 ? [`${formatCount(succeeded)} succeeded`] : []),
    ...(died > 0 ? [`${formatCount(died)} failed again`] : []),
    ...(sent > 0 ? [`${formatCount(sent)} ${sent === 1 ? "is" : "are"} in progress`] : []),
    ...(waiting + cancelled > 0 ? [`${formatCount(waiting + cancelled)} not replayed`] : []),
  ];
  return `${plural(total, "dead letter")}: ${parts.join(", ") || "none replayed"}.`;
}

const OUTCOMES = ["waiting", "sent", "succeeded", "died", "cancelled"] as const;

function JobContent({ job }: { job: ReplayJob }) {
  const { counts } = job;
  const total = OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
  const sentence = jobSentence(job);
  return (
    <div className={styles.job}>
      {job.state !== "running" && <Announcement text={`Replay: ${sentence}`} />}
      <p>
        <span className={text.strong}>{sentence}</span>{" "}
        <span className={text.dim}>
          Started by <bdi>{job.requestedBy}</bdi> <Time iso={job.createdAt} />
          {job.cancelledBy && `, cancelled by ${job.cancelledBy}`}.
        </span>
      </p>
      {job.state === "running" && (
        <progress
          className={styles.bar}
          aria-label="Dead letters processed"
          max={100}
          value={percentOf(counts.succeeded + counts.died, total) ?? 0}
        />
      )}
      <p className={styles.counts}>
        {OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) => {
          const label = labelOf(REPLAY_ITEM_STATES, outcome);
          return (
            <StateBadge
              key={outcome}
              label={{ ...label, word: `${formatCount(counts[outcome])} ${label.word.toLowerCase()}` }}
            />
          );
        })}
      </p>
      {counts.died > 0 && <FailedItems jobId={job.id} />}
    </div>
  );
}

const SHOWN_ITEMS = 50;

/** The dead letters that failed again, each with a link to the dead letter that it became. */
function FailedItems({ jobId }: { jobId: string }) {
  const items = useQuery(listReplayItems(jobId, { limit: SHOWN_ITEMS, offset: 0 }, "died"));
  const failed = items.data?.data ?? [];
  if (failed.length === 0) return null;
  return (
    <ul className={styles.failed} aria-label="Failed again">
      {failed.map((item) => (
        <li key={item.deadLetterId}>
          <bdi className={text.sentence}>{item.reason}</bdi>{" "}
          <Link
            from="/dead-letters"
            to="/dead-letters"
            search={(old) => ({ ...old, open: item.diedAs ?? item.deadLetterId })}
          >
            View dead letter
          </Link>
        </li>
      ))}
    </ul>
  );
}

function CancelJob({ jobId }: { jobId: string }) {
  const isOperator = useHasRole("operator");
  const cancel = useCancelReplayJob(jobId);
  if (!isOperator) return null;
  return (
    <>
      <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
        Cancel replay
      </Button>
      {cancel.error && <ProblemNote problem={asProblem(cancel.error)} />}
    </>
  );
}
