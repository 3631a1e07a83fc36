import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getReplayJob, listDeadLetters, listReplayJobs } from "../../api/queries/dead-letters";
import { getOverview } from "../../api/queries/overview";
import { queryOf } from "../../api/queries/paging";
import { useHasRole } from "../../api/session";
import type { DeadLetter, Overview } from "../../api/types";
import { hasSynced } from "../../format/fleet-status";
import { formatCount, plural } from "../../format/numbers";
import {
  DEAD_LETTER_STATES,
  FAILURE_CLASSES,
  labelOf,
  RECORD_TYPE_ORDER,
  recordTypeNames,
} from "../../format/states";
import type { Status } from "../../format/status";
import { Drawer } from "../../ui/drawer";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { LiveList } from "../../ui/live-list";
import { OptionFilter } from "../../ui/option-filter";
import { Page } from "../../ui/page";
import { NamedRecordLink } from "../../ui/record-link";
import { StateBadge } from "../../ui/state-badge";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";
import { columnsOf, rowLink } from "../../ui/table";
import text from "../../ui/text.module.css";
import { TextFilter } from "../../ui/text-filter";
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
    cell: ({ row: { original: letter } }) => (
      <TwoLines
        second={`${labelOf(FAILURE_CLASSES, letter.class).word}, after ${plural(letter.attempts, "attempt")}`}
      >
        <span className={`${text.sentence} ${styles.reason}`}>{letter.reason}</span>
      </TwoLines>
    ),
  }),
  column.display({
    id: "record",
    header: "Record",
    cell: ({ row }) => <RecordOfLetter letter={row.original} />,
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
    id: "replays",
    header: "Replays",
    meta: { figure: true },
    cell: ({ row }) => <ToneCount value={row.original.replays} tone="neutral" />,
  }),
];

/** The record that the message was about; of a page of a list, the type of its records. */
export function RecordOfLetter({ letter: { recordType, sourceId } }: { letter: DeadLetter }) {
  if (!recordType) return <span className={text.dim}>none</span>;
  if (!sourceId)
    return <span className={text.dim}>a page of {recordTypeNames(recordType).many.toLowerCase()}</span>;
  return (
    <span className={`${text.aboveRow} ${styles.record}`}>
      <NamedRecordLink recordType={recordType} sourceId={sourceId} />
    </span>
  );
}

export function DeadLettersPage() {
  const { page = 1, state, recordType, sourceId, open, job } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = { state, recordType, sourceId };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const deadLetters = useQuery(listDeadLetters({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, filter));
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
  const narrow = (part: Partial<typeof filter>) =>
    navigate({ search: (old) => ({ ...old, ...part, page: undefined }) });
  // A replay of those of one record, or of one type, is narrowed like the list.
  const isOfRecords = recordType !== undefined || sourceId !== undefined;
  const target = isOfRecords ? queryOf({}, { recordType, sourceId }) : { all: true };

  return (
    <Page
      title="Dead letters"
      actions={
        isOperator &&
        !isReplaying &&
        waiting !== undefined &&
        waiting > 0 && (
          <Replay target={target} onStarted={showJob}>
            {(open) => (
              <Button onClick={open}>
                {isOfRecords ? "Replay these" : `Replay all ${formatCount(waiting)}`}
              </Button>
            )}
          </Replay>
        )
      }
    >
      <StatusBanner status={overview && deadLettersStatus(overview)}>
        {waiting !== undefined && waiting > 0 && state !== "dead" && (
          <Link from="/dead-letters" to="/dead-letters" search={(old) => ({ ...old, state: "dead" })}>
            Show only these
          </Link>
        )}
      </StatusBanner>
      <FilterBar
        isFiltered={isFiltered}
        onClear={() => navigate({ search: ({ zone }) => (zone ? { zone } : {}) })}
      >
        <StateFilter states={DEAD_LETTER_STATES} value={state} onChange={(state) => narrow({ state })} />
        <OptionFilter
          label="Record type"
          allLabel="All record types"
          options={RECORD_TYPE_ORDER.map((value) => ({ value, label: recordTypeNames(value).many }))}
          value={recordType}
          onChange={(recordType) => narrow({ recordType })}
        />
        <TextFilter label="Record ID" value={sourceId} onChange={(sourceId) => narrow({ sourceId })} />
      </FilterBar>
      {shownJob && <ReplayJobCard key={shownJob} jobId={shownJob} onClose={() => showJob(undefined)} />}
      <LiveList
        query={deadLetters}
        itemNoun="dead letters"
        label="Dead letters"
        columns={columns}
        rowKey={(letter) => letter.id}
        page={page}
        pageSize={PAGE_SIZE}
        filter={isFiltered ? JSON.stringify(filter) : undefined}
        empty={
          <EmptyState framed title={isFiltered ? "No dead letters match the filters" : "No dead letters yet"}>
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
