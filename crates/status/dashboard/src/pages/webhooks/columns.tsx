import { Link } from "@tanstack/react-router";
import type { RefusedWebhook, WebhookEvent } from "../../api/types";
import { formatCount } from "../../format/numbers";
import { labelOf, refusalLabel, WEBHOOK_STATES } from "../../format/states";
import { CopyableId } from "../../ui/copyable-id";
import { RecordId } from "../../ui/record-link";
import { StateBadge } from "../../ui/state-badge";
import { columnsOf, rowLink } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { ToneCount } from "../../ui/tone-count";
import { TwoLines } from "../../ui/two-lines";
import styles from "./webhooks.module.css";

const event = columnsOf<WebhookEvent>();

export const webhookColumns = [
  event.display({
    id: "event",
    header: "Event",
    cell: ({ row: { original } }) => (
      <TwoLines
        second={
          original.sourceId &&
          (original.recordType ? (
            <RecordId recordType={original.recordType} sourceId={original.sourceId} />
          ) : (
            <CopyableId text={original.sourceId} name="record ID" />
          ))
        }
      >
        <Link from="/webhooks" to="/webhooks" search={(old) => ({ ...old, open: original.id })} {...rowLink}>
          <bdi>{original.eventType}</bdi>
        </Link>
      </TwoLines>
    ),
  }),
  event.display({
    id: "state",
    header: "State",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={labelOf(WEBHOOK_STATES, row.original.state)} />,
  }),
  event.display({
    id: "received",
    header: "Received",
    cell: ({ row }) => <Time iso={row.original.receivedAt} full />,
  }),
  event.display({
    id: "failure",
    header: "Last failure",
    meta: { narrow: "line" },
    cell: ({ row: { original } }) =>
      original.lastFailure && (
        <bdi className={`${text.sentence} ${styles.reason}`}>{original.lastFailure}</bdi>
      ),
  }),
  event.display({
    id: "duplicates",
    header: "Duplicates",
    meta: { figure: true },
    cell: ({ row }) => <ToneCount value={row.original.duplicates} tone="neutral" />,
  }),
];

const refused = columnsOf<RefusedWebhook>();

export const refusedColumns = [
  refused.display({
    id: "received",
    header: "Received",
    cell: ({ row }) => <Time iso={row.original.receivedAt} full />,
  }),
  refused.display({
    id: "reason",
    header: "Reason",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={refusalLabel(row.original.reason)} />,
  }),
  refused.display({
    id: "detail",
    header: "Detail",
    meta: { narrow: "line" },
    cell: ({ row: { original } }) => (
      <TwoLines second={<>answered {original.status}</>}>
        <bdi className={`${text.sentence} ${styles.reason}`}>{original.detail}</bdi>
      </TwoLines>
    ),
  }),
  refused.display({
    id: "sender",
    header: "Sender",
    meta: { narrow: "line" },
    cell: ({ row: { original } }) => (
      <TwoLines second={original.userAgent && <bdi className={text.breakAnywhere}>{original.userAgent}</bdi>}>
        <code>{original.source}</code>
      </TwoLines>
    ),
  }),
  refused.display({
    id: "body",
    header: "Body",
    cell: ({ row: { original } }) => (
      <TwoLines
        second={original.bodySha256 && <CopyableId text={original.bodySha256} name="SHA-256 of the body" />}
      >
        {original.bodyBytes == null ? (
          <span className={text.dim}>not read</span>
        ) : (
          `${formatCount(original.bodyBytes)} bytes`
        )}
      </TwoLines>
    ),
  }),
  refused.display({
    id: "webhookId",
    header: "Webhook ID",
    cell: ({ row: { original } }) =>
      original.webhookId ? (
        <CopyableId text={original.webhookId} name="webhook ID" length={10} />
      ) : (
        <span className={text.dim}>none</span>
      ),
  }),
  refused.display({
    id: "alike",
    header: "Alike",
    meta: { figure: true },
    cell: ({ row }) => <ToneCount value={row.original.alike} tone="warn" />,
  }),
];
