import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { getWebhook, getWebhookBody } from "../../api/queries/webhooks";
import { useHasRole } from "../../api/session";
import type { WebhookEventDetail } from "../../api/types";
import { withVisibleCharacters } from "../../api/visible-text";
import { prettyJson } from "../../format/json";
import { formatCount, plural } from "../../format/numbers";
import { labelOf, WEBHOOK_STATES } from "../../format/states";
import { AttemptTable } from "../../ui/attempt-table";
import { CopyableId } from "../../ui/copyable-id";
import { Fact, FactList } from "../../ui/fact-list";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import { QueryResult } from "../../ui/query-result";
import { RecordId } from "../../ui/record-link";
import { ScrollableText } from "../../ui/scrollable-text";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { ReprocessOne } from "./reprocess";
import styles from "./webhooks.module.css";

/** One webhook: what it said, what became of it, and its attempts. */
export function WebhookDetails({ id }: { id: string }) {
  const webhook = useQuery(getWebhook(id));
  return (
    <QueryResult query={webhook} lines={10}>
      {(data) => <Details webhook={data} />}
    </QueryResult>
  );
}

function Details({ webhook }: { webhook: WebhookEventDetail }) {
  const isOperator = useHasRole("operator");
  const canReprocess = webhook.state === "processed" || webhook.state === "failed";
  return (
    <div className={layout.stack}>
      <div className={styles.head}>
        <StateBadge label={labelOf(WEBHOOK_STATES, webhook.state)} />
        {isOperator && canReprocess && <ReprocessOne id={webhook.id} />}
      </div>
      <p className={text.strong}>
        <bdi>{webhook.eventType}</bdi>
      </p>
      {webhook.lastFailure && (
        <Note tone={webhook.state === "failed" ? "bad" : "warn"} title="Last failure">
          <p className={text.sentence}>
            <bdi>{webhook.lastFailure}</bdi>
          </p>
        </Note>
      )}
      <WebhookFacts webhook={webhook} />
      <section>
        <h3>Failed attempts</h3>
        {webhook.attemptsMade.length > 0 ? (
          <AttemptTable attempts={webhook.attemptsMade} />
        ) : (
          <p className={text.dim}>No attempt has failed.</p>
        )}
      </section>
      <section>
        <h3>Headers</h3>
        <FactList>
          <Fact name="webhook-id">
            <CopyableId text={webhook.webhookId} name="webhook ID" length={24} />
          </Fact>
          <Fact name="Signed with">
            secret <code>{webhook.keyName}</code>
          </Fact>
        </FactList>
      </section>
      <Body webhook={webhook} />
    </div>
  );
}

function WebhookFacts({ webhook }: { webhook: WebhookEventDetail }) {
  const { recordType, sourceId, occurredAt, publishedAt, processedAt, syncId, duplicates } = webhook;
  return (
    <FactList wide>
      {sourceId && (
        <Fact name="Record">
          {recordType ? (
            <RecordId recordType={recordType} sourceId={sourceId} />
          ) : (
            <CopyableId text={sourceId} name="record ID" />
          )}
        </Fact>
      )}
      {occurredAt && (
        <Fact name="Happened">
          <Time iso={occurredAt} full />
        </Fact>
      )}
      <Fact name="Received">
        <Time iso={webhook.receivedAt} full />
      </Fact>
      <Fact name="Published">{publishedAt ? <Time iso={publishedAt} full /> : "not yet"}</Fact>
      <Fact name="Record synced">{processedAt ? <Time iso={processedAt} full /> : "not yet"}</Fact>
      <Fact name="Sync">
        {syncId ? (
          <Link to="/syncs/$syncId" params={{ syncId }}>
            View sync and its record counts
          </Link>
        ) : (
          "none"
        )}
      </Fact>
      <Fact name="Duplicates">
        {duplicates === 0 ? "none" : `sent ${plural(duplicates, "more time")}, processed once`}
      </Fact>
    </FactList>
  );
}

/** The body on demand: to read it is an entry of the audit log. */
function Body({ webhook }: { webhook: WebhookEventDetail }) {
  const isOperator = useHasRole("operator");
  const [isShown, setShown] = useState(false);
  const body = useQuery({ ...getWebhookBody(webhook.id), enabled: isShown });
  return (
    <section>
      <h3>Body ({formatCount(webhook.bodyBytes)} bytes)</h3>
      {isShown ? (
        <QueryResult query={body}>{(bytes) => <BodyText bytes={bytes} />}</QueryResult>
      ) : isOperator ? (
        <Button size="xs" variant="default" onClick={() => setShown(true)}>
          Show body
        </Button>
      ) : (
        <p className={text.dim}>An operator can read the body.</p>
      )}
    </section>
  );
}

function BodyText({ bytes }: { bytes: ArrayBuffer }) {
  const body = decoded(bytes);
  return (
    <>
      <ScrollableText label="Body of the webhook">{body ?? hexOf(bytes)}</ScrollableText>
      {body === null && <p className={text.dim}>Not UTF-8 text, shown in hexadecimal.</p>}
    </>
  );
}

function decoded(bytes: ArrayBuffer): string | null {
  try {
    return withVisibleCharacters(prettyJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return null;
  }
}

const hexOf = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
