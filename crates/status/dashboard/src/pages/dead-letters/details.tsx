import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { getDeadLetter } from "../../api/queries";
import { useMay } from "../../api/session";
import type { DeadLetterDetail } from "../../api/types";
import { prettyJson } from "../../format/json";
import { plural } from "../../format/numbers";
import { DEAD_LETTER_STATES, FAILURE_CLASSES, look } from "../../format/states";
import { AttemptTable } from "../../ui/attempt-table";
import { Badge } from "../../ui/badge";
import { Copy } from "../../ui/copyable-id";
import { Answer } from "../../ui/query-result";
import { Time } from "../../ui/time";
import { Replay } from "./replay";

/** One dead letter, whole: why it died, what it said, and what came of its replays. */
export function DeadLetterDetails({ id }: { id: string }) {
  const letter = useQuery(getDeadLetter(id));
  return (
    <Answer of={letter} lines={10}>
      {(data) => <Details letter={data} />}
    </Answer>
  );
}

function Details({ letter }: { letter: DeadLetterDetail }) {
  const may = useMay("operator");
  return (
    <div className="stack details">
      <div className="details-head">
        <Badge look={look(DEAD_LETTER_STATES, letter.state)} />
        {may && letter.state === "dead" && (
          <Replay which={letter.id} amount={1}>
            {(ask) => <Button onClick={ask}>Replay this one</Button>}
          </Replay>
        )}
      </div>
      <p className="reason first-up">{letter.reason}</p>
      <dl className="facts wide">
        <div>
          <dt>Died</dt>
          <dd>
            <Time iso={letter.diedAt} full />
          </dd>
        </div>
        <div>
          <dt>Class</dt>
          <dd>
            {look(FAILURE_CLASSES, letter.class).word}, after {plural(letter.attempts, "attempt")}
          </dd>
        </div>
        <div>
          <dt>Message</dt>
          <dd>
            {letter.kind} <Copy text={letter.messageId} what="message id" />
          </dd>
        </div>
        <div>
          <dt>Replay goes to</dt>
          <dd>
            <code>{letter.queue}</code>
          </dd>
        </div>
        {letter.syncId && (
          <div>
            <dt>Sync</dt>
            <dd>
              <Link to="/syncs/$syncId" params={{ syncId: letter.syncId }}>
                Open its sync
              </Link>
            </dd>
          </div>
        )}
        {letter.replayOf && (
          <div>
            <dt>Came back</dt>
            <dd>
              It died again after a replay.{" "}
              <Link
                from="/dead-letters"
                to="/dead-letters"
                search={(old) => ({ ...old, open: letter.replayOf ?? undefined })}
              >
                See the death before
              </Link>
            </dd>
          </div>
        )}
        {letter.replays > 0 && (
          <div>
            <dt>Replayed</dt>
            <dd>
              {plural(letter.replays, "time")}
              {letter.replayedBy && `, last by ${letter.replayedBy}`}{" "}
              {letter.replayedAt && <Time iso={letter.replayedAt} />}
            </dd>
          </div>
        )}
        {letter.traceId && (
          <div>
            <dt>Trace</dt>
            <dd>
              <Copy text={letter.traceId} what="trace id" short={16} />
            </dd>
          </div>
        )}
      </dl>
      <section>
        <h3>Attempts</h3>
        {letter.attemptsMade.length > 0 ? (
          <AttemptTable attempts={letter.attemptsMade} />
        ) : (
          <p className="dim">None was recorded: the message could not be read.</p>
        )}
      </section>
      <section>
        <h3>Body</h3>
        <Scroll label="Body of the message">
          {letter.body == null ? (letter.bodyBase64 ?? "empty") : prettyJson(letter.body)}
        </Scroll>
        {letter.body == null && letter.bodyBase64 && <p className="dim">Not text, therefore in base64.</p>}
      </section>
      <section>
        <h3>Headers</h3>
        <Scroll label="Headers of the message">{JSON.stringify(letter.headers, null, 2)}</Scroll>
      </section>
    </div>
  );
}

function Scroll({ label, children }: { label: string; children: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section tabIndex={0} aria-label={label} className="scroll">
      <pre>{children}</pre>
    </section>
  );
}
