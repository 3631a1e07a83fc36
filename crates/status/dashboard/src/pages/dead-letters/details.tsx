import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { getDeadLetter } from "../../api/queries/dead-letters";
import { useHasRole } from "../../api/session";
import type { DeadLetterDetail } from "../../api/types";
import { prettyJson } from "../../format/json";
import { plural } from "../../format/numbers";
import { DEAD_LETTER_STATES, FAILURE_CLASSES, labelOf } from "../../format/states";
import { AttemptTable } from "../../ui/attempt-table";
import { CopyableId } from "../../ui/copyable-id";
import { Fact, FactList } from "../../ui/fact-list";
import layout from "../../ui/layout.module.css";
import { QueryResult } from "../../ui/query-result";
import { NamedRecordLink } from "../../ui/record-link";
import { ScrollableText } from "../../ui/scrollable-text";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import styles from "./details.module.css";
import { Replay } from "./replay";
import { ReplayJobCard } from "./replay-job";

/** One dead letter: reason, message, attempts and replays. */
export function DeadLetterDetails({ id, onReplay }: { id: string; onReplay: (jobId: string) => void }) {
  const letter = useQuery(getDeadLetter(id));
  return (
    <QueryResult query={letter} lines={10}>
      {(data) => <Details letter={data} onReplay={onReplay} />}
    </QueryResult>
  );
}

function Details(props: { letter: DeadLetterDetail; onReplay: (jobId: string) => void }) {
  const { letter, onReplay } = props;
  const isOperator = useHasRole("operator");
  const [jobId, setJobId] = useState<string | null>(null);
  return (
    <div className={layout.stack}>
      <div className={styles.head}>
        <StateBadge label={labelOf(DEAD_LETTER_STATES, letter.state)} />
        {isOperator && letter.state === "dead" && (
          <Replay
            target={letter.id}
            onStarted={(started) => {
              setJobId(started);
              onReplay(started);
            }}
          >
            {(open) => <Button onClick={open}>Replay</Button>}
          </Replay>
        )}
      </div>
      {jobId && <ReplayJobCard jobId={jobId} />}
      <p className={`${styles.reason} ${text.sentence}`}>
        <bdi>{letter.reason}</bdi>
      </p>
      <DeadLetterFacts letter={letter} />
      <section className={styles.attempts}>
        <h3>Attempts</h3>
        {letter.attemptsMade.length > 0 ? (
          <AttemptTable attempts={letter.attemptsMade} />
        ) : (
          <p className={text.dim}>No attempt was recorded: the message could not be parsed.</p>
        )}
      </section>
      <MessageContent letter={letter} />
    </div>
  );
}

function DeadLetterFacts({ letter }: { letter: DeadLetterDetail }) {
  const { recordType, sourceId } = letter;
  return (
    <FactList wide>
      <Fact name="Dead-lettered">
        <Time iso={letter.diedAt} full />
      </Fact>
      <Fact name="Failure class">
        {labelOf(FAILURE_CLASSES, letter.class).word}, after {plural(letter.attempts, "attempt")}
      </Fact>
      <Fact name="Message">
        {letter.kind} <CopyableId text={letter.messageId} name="message ID" />
      </Fact>
      <Fact name="Replay queue">
        <code>{letter.queue}</code>
      </Fact>
      {letter.syncId && (
        <Fact name="Sync">
          <Link to="/syncs/$syncId" params={{ syncId: letter.syncId }}>
            View sync
          </Link>
        </Fact>
      )}
      {recordType && sourceId && (
        <Fact name="Record">
          <NamedRecordLink recordType={recordType} sourceId={sourceId} />{" "}
          <CopyableId text={sourceId} name="record ID" />
        </Fact>
      )}
      {letter.replayOf && (
        <Fact name="Earlier replay">
          The message failed again after a replay.{" "}
          <Link
            from="/dead-letters"
            to="/dead-letters"
            search={(old) => ({ ...old, open: letter.replayOf ?? undefined })}
          >
            View the earlier dead letter
          </Link>
        </Fact>
      )}
      {letter.replays > 0 && (
        <Fact name="Replayed">
          {plural(letter.replays, "time")}
          {letter.replayedBy && `, last by ${letter.replayedBy}`}{" "}
          {letter.replayedAt && <Time iso={letter.replayedAt} />}
        </Fact>
      )}
      {letter.traceId && (
        <Fact name="Trace ID">
          <CopyableId text={letter.traceId} name="trace ID" length={16} />
        </Fact>
      )}
    </FactList>
  );
}

function MessageContent({ letter }: { letter: DeadLetterDetail }) {
  return (
    <>
      <section>
        <h3>Body</h3>
        <ScrollableText label="Body of the message">
          {letter.body == null ? (letter.bodyBase64 ?? "empty") : prettyJson(letter.body)}
        </ScrollableText>
        {letter.body == null && letter.bodyBase64 && <p className={text.dim}>Not text, shown as Base64.</p>}
      </section>
      <section>
        <h3>Headers</h3>
        <ScrollableText label="Headers of the message">
          {JSON.stringify(letter.headers, null, 2)}
        </ScrollableText>
      </section>
    </>
  );
}
