import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getReplayJob, listDeadLetters, listReplayJobs } from "../../api/queries/dead-letters";
import { getOverview } from "../../api/queries/overview";
import { useHasRole } from "../../api/session";
import type { DeadLetter, Overview } from "../../api/types";
import { hasSynced } from "../../format/fleet-status";
import { formatCount, plural } from "../../format/numbers";
import { DEAD_LETTER_STATES, FAILURE_CLASSES, labelOf } from "../../format/states";
import type { Status } from "../../format/status";
import { Drawer } from "../../ui/drawer";
import { EmptyState } from "../../ui/empty-state";
import { LiveList } from "../../ui/live-list";
import { Page } from "../../ui/page";
import { StateBadge } from "../../ui/state-badge";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";
import { columnsOf, rowLink } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { ToneCount } from "../../ui/tone-count";
import { TwoLines } from "../../ui/two-lines";
import styles from "./dead-letters.module.css";
import { DeadLetterDetails } from "./details";
import { Replay } from "./replay";
import { ReplayJobCard } from "./replay-job";

const PAGE_SIZE = 20;
const route = getRouteApi("/dead-letters");

const column = columnsOf<DeadLetter>();
const columns = [
  column.display({
    id: "diedAt",
    header: "Dead-lettered",
    cell: ({ row: { original: letter } }) => (
      <Link
        from="/dead-letters"
        to="/dead-letters"
        search={(old) => ({ ...old, open: letter.id })}
        {...rowLink}
      >
        <Time iso={letter.diedAt} full />
      </Link>
    ),
  }),
  column.display({
    id: "state",
    header: "State",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(DEAD_LETTER_STATES, row.original.state)} />,
  }),
  column.display({
    id: "reason",
    header: "Reason",
    meta: { narrow: "line" },
    cell: ({ row }) => <bdi className={`${text.sentence} ${styles.reason}`}>{row.original.reason}</bdi>,
  }),
  column.display({
    id: "class",
    header: "Class",
    cell: ({ row }) => labelOf(FAILURE_CLASSES, row.original.class).word,
  }),
  column.display({
    id: "message",
    header: "Message",
    cell: ({ row: { original: letter } }) => (
      <TwoLines second={<code>{letter.queue}</code>}>
        <span>{letter.kind.split(".").pop()}</span>
      </TwoLines>
    ),
  }),
  column.display({
    id: "attempts",
    header: "Attempts",
    meta: { figure: true },
    cell: ({ row }) => formatCount(row.original.attempts),
  }),
  column.display({
    id: "replays",
    header: "Replays",
    meta: { figure: true },
    cell: ({ row }) => <ToneCount value={row.original.replays} tone="neutral" />,
  }),
];

export function DeadLettersPage() {
  const { page = 1, state, open, job } = route.useSearch();
  const navigate = route.useNavigate();
  const deadLetters = useQuery(listDeadLetters({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, state));
  const overview = useQuery(getOverview()).data;
  const waiting = overview?.deadLetters;
  const isOperator = useHasRole("operator");
  // The operator's own job, or one that another operator has started.
  const latestJob = useQuery(listReplayJobs({ limit: 1, offset: 0 })).data?.data[0];
  const shownJob = job ?? (latestJob?.state === "running" ? latestJob.id : undefined);
  const isReplaying =
    useQuery({ ...getReplayJob(shownJob ?? ""), enabled: shownJob !== undefined }).data?.state === "running";
  const showJob = (jobId: string | undefined) =>
    navigate({ search: (old) => ({ ...old, job: jobId }), resetScroll: false });
  const close = () => navigate({ search: (old) => ({ ...old, open: undefined }), resetScroll: false });

  return (
    <Page
      title="Dead letters"
      actions={
        <>
          <StateFilter
            states={DEAD_LETTER_STATES}
            value={state}
            onChange={(next) => navigate({ search: (old) => ({ ...old, page: undefined, state: next }) })}
          />
          {isOperator && !isReplaying && waiting !== undefined && waiting > 0 && (
            <Replay target={{ all: true }} onStarted={showJob}>
              {(open) => <Button onClick={open}>Replay all {formatCount(waiting)}</Button>}
            </Replay>
          )}
        </>
      }
    >
      <StatusBanner status={overview && deadLettersStatus(overview)}>
        {waiting !== undefined && waiting > 0 && state !== "dead" && (
          <Link from="/dead-letters" to="/dead-letters" search={(old) => ({ ...old, state: "dead" })}>
            Show only these
          </Link>
        )}
      </StatusBanner>
      {shownJob && <ReplayJobCard key={shownJob} jobId={shownJob} onClose={() => showJob(undefined)} />}
      <LiveList
        query={deadLetters}
        itemNoun="dead letters"
        label="Dead letters"
        columns={columns}
        rowKey={(letter) => letter.id}
        page={page}
        pageSize={PAGE_SIZE}
        filter={state}
        empty={
          <EmptyState framed title={state ? "No dead letters in this state" : "No dead letters yet"}>
            A message becomes a dead letter after four attempts with transient failures, or after one
            permanent failure.
          </EmptyState>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
      <Drawer opened={open !== undefined} title="Dead letter" onClose={close}>
        {open && <DeadLetterDetails key={open} id={open} onReplay={showJob} />}
      </Drawer>
    </Page>
  );
}

export function deadLettersStatus(overview: Overview): Status {
  const { deadLetters: waiting, lastWebhookAt } = overview;
  if (waiting > 0) {
    return {
      tone: "bad",
      headline: `${plural(waiting, "dead letter")} waiting`,
      detail: "All attempts failed, or none can succeed. Fix the cause, then replay.",
    };
  }
  const hadMessages = hasSynced(overview) || lastWebhookAt != null;
  return {
    tone: hadMessages ? "good" : "neutral",
    headline: "No dead letters waiting",
    detail: hadMessages ? "All messages are processed or in progress." : "No message has been processed yet.",
  };
}
