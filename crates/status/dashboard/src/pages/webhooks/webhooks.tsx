import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { getOverview } from "../../api/queries/overview";
import { listRefusedWebhooks, listWebhooks } from "../../api/queries/webhooks";
import { serverNow } from "../../api/server-clock";
import { useHasRole } from "../../api/session";
import type { List, ListTotal, Overview, RefusedWebhook } from "../../api/types";
import { capitalize } from "../../format/capitalize";
import { formatCount, plural, pluralTotal } from "../../format/numbers";
import {
  RECORD_TYPE_ORDER,
  REFUSAL_OPTIONS,
  recordTypeNames,
  refusalLabel,
  WEBHOOK_STATES,
} from "../../format/states";
import type { Status } from "../../format/status";
import { Drawer } from "../../ui/drawer";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { LiveList } from "../../ui/live-list";
import { OptionFilter } from "../../ui/option-filter";
import { Page } from "../../ui/page";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";
import { TextFilter } from "../../ui/text-filter";
import { TimeRangeFilter } from "../../ui/time-range-filter";
import { ViewLinks, viewLink } from "../../ui/view-links";
import { refusedColumns, webhookColumns } from "./columns";
import { WebhookDetails } from "./details";
import { ReprocessMany } from "./reprocess";

const PAGE_SIZE = 20;
const route = getRouteApi("/webhooks");

/** Webhooks that the service has accepted, and requests that it has refused. */
export function WebhooksPage() {
  const { view, open } = route.useSearch();
  const navigate = route.useNavigate();
  const overview = useQuery(getOverview()).data;
  const failed = useQuery(listWebhooks({ limit: 1, offset: 0 }, { state: "failed" })).data?.pagination;
  const refusedSince = useRefusedSince();
  const close = () => navigate({ search: (old) => ({ ...old, open: undefined }), resetScroll: false });
  return (
    <Page
      title="Webhooks"
      actions={
        <ViewLinks label="Views">
          <Link to="/webhooks" search={{ view: undefined }} {...viewLink}>
            Accepted
          </Link>
          <Link to="/webhooks" search={{ view: "refused" }} {...viewLink}>
            Refused
          </Link>
        </ViewLinks>
      }
    >
      <StatusBanner
        status={
          overview && failed !== undefined && refusedSince !== undefined
            ? webhooksStatus(overview, failed, refusedSince)
            : undefined
        }
      />
      {view === "refused" ? <RefusedList /> : <AcceptedList />}
      <Drawer opened={open !== undefined} title="Webhook" onClose={close}>
        {open && <WebhookDetails key={open} id={open} />}
      </Drawer>
    </Page>
  );
}

const DAY = 86_400_000;

/** How many requests were refused in the last 24 hours. */
function useRefusedSince(): Refusals | undefined {
  // By the minute, so that the query stays the same while the page is open.
  const from = useMemo(() => new Date(Math.floor((serverNow() - DAY) / 60_000) * 60_000).toISOString(), []);
  const refused = useQuery(listRefusedWebhooks({ limit: 200, offset: 0 }, { from })).data;
  if (!refused) return undefined;
  return refusedRequests(refused);
}

interface Refusals {
  /** Entries of the log, and the requests that are alike and have no entry of their own. */
  requests: number;
  /** The log has more entries than were counted. */
  isAtLeast: boolean;
}

export function refusedRequests({ data, pagination }: List<RefusedWebhook>): Refusals {
  const alike = data.reduce((sum, entry) => sum + entry.alike, 0);
  return { requests: pagination.total + alike, isAtLeast: pagination.total > data.length };
}

export function webhooksStatus(
  overview: Overview,
  failed: ListTotal,
  { requests, isAtLeast }: Refusals,
): Status {
  const refusals = `${isAtLeast ? "At least " : ""}${plural(requests, "request")} ${requests === 1 ? "was" : "were"} refused in the last 24 hours`;
  if (failed.total > 0) {
    return {
      tone: "bad",
      headline: `${capitalize(pluralTotal(failed, "webhook"))} failed`,
      detail: `Fix the cause, then reprocess.${requests > 0 ? ` ${refusals}.` : ""}`,
    };
  }
  if (requests > 0) {
    return {
      tone: "warn",
      headline: refusals,
      detail: "A refused event is not synced: the sender must send it again. See “Refused” for the reasons.",
    };
  }
  if (overview.lastWebhookAt == null) {
    return {
      tone: "neutral",
      headline: "No webhooks yet",
      detail:
        "The onboarding portal sends one for each approval. Its webhook address and secret must be set there.",
    };
  }
  return {
    tone: "good",
    headline: "No failed webhooks",
    detail: "All are processed, ignored or in progress.",
  };
}

function AcceptedList() {
  const { page = 1, state, recordType, sourceId, webhookId, from, to } = route.useSearch();
  const navigate = route.useNavigate();
  const isOperator = useHasRole("operator");
  const filter = { state, recordType, sourceId, webhookId, from, to };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const events = useQuery(listWebhooks({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, filter));
  const narrow = (part: Partial<typeof filter>) =>
    navigate({ search: (old) => ({ ...old, ...part, page: undefined }) });
  return (
    <>
      <FilterBar isFiltered={isFiltered} onClear={() => navigate({ search: keepZone })}>
        <StateFilter states={WEBHOOK_STATES} value={state} onChange={(state) => narrow({ state })} />
        <OptionFilter
          label="Record type"
          allLabel="All record types"
          options={RECORD_TYPE_ORDER.map((value) => ({ value, label: recordTypeNames(value).many }))}
          value={recordType}
          onChange={(recordType) => narrow({ recordType })}
        />
        <TextFilter label="Record ID" value={sourceId} onChange={(sourceId) => narrow({ sourceId })} />
        <TextFilter label="Webhook ID" value={webhookId} onChange={(webhookId) => narrow({ webhookId })} />
        <TimeRangeFilter from={from} to={to} onChange={narrow} />
        {isOperator && isFiltered && webhookId === undefined && (
          <ReprocessMany
            filter={{
              states: state ? [state] : [],
              recordType: recordType ?? null,
              sourceId: sourceId ?? null,
              from: from ?? null,
              to: to ?? null,
            }}
          />
        )}
      </FilterBar>
      <LiveList
        query={events}
        itemNoun="webhooks"
        label="Webhooks"
        columns={webhookColumns}
        rowKey={(event) => event.id}
        page={page}
        pageSize={PAGE_SIZE}
        filter={isFiltered ? JSON.stringify(filter) : undefined}
        empty={
          isFiltered ? (
            <EmptyState framed title="No webhooks match the filters">
              Change or clear the filters above.
            </EmptyState>
          ) : (
            <EmptyState framed title="No webhooks yet">
              Approve a vessel in the onboarding portal: it sends a webhook, which appears here.
            </EmptyState>
          )
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
    </>
  );
}

function RefusedList() {
  const { page = 1, reason, webhookId, from, to } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = { reason, webhookId, from, to };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const refused = useQuery(listRefusedWebhooks({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, filter));
  const narrow = (part: Partial<typeof filter>) =>
    navigate({ search: (old) => ({ ...old, ...part, page: undefined }) });
  const alike = refused.data?.data.reduce((sum, entry) => sum + entry.alike, 0) ?? 0;
  return (
    <>
      <FilterBar
        isFiltered={isFiltered}
        onClear={() => navigate({ search: (old) => ({ ...keepZone(old), view: "refused" }) })}
      >
        <OptionFilter
          label="Reason"
          allLabel="All reasons"
          options={REFUSAL_OPTIONS.map((value) => ({ value, label: refusalLabel(value).word }))}
          value={reason}
          onChange={(reason) => narrow({ reason })}
        />
        <TextFilter label="Webhook ID" value={webhookId} onChange={(webhookId) => narrow({ webhookId })} />
        <TimeRangeFilter from={from} to={to} onChange={narrow} />
      </FilterBar>
      <LiveList
        query={refused}
        itemNoun="refused requests"
        label="Refused requests"
        columns={refusedColumns}
        rowKey={(entry) => entry.id}
        linked={false}
        page={page}
        pageSize={PAGE_SIZE}
        filter={isFiltered ? JSON.stringify(filter) : undefined}
        empty={
          <EmptyState
            framed
            title={isFiltered ? "No refused requests match the filters" : "No refused requests"}
          >
            Requests with a wrong signature, an old timestamp or an invalid event are listed here.
          </EmptyState>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
      {alike > 0 && (
        <p>
          The log is a sample: {formatCount(alike)} further {alike === 1 ? "request was" : "requests were"}{" "}
          refused for the same reasons.
        </p>
      )}
    </>
  );
}

const keepZone = <Z,>({ zone }: { zone?: Z }): { zone?: Z } => (zone === undefined ? {} : { zone });
