import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { asProblem } from "../../api/problem";
import { listAudit, useExportAudit } from "../../api/queries/audit";
import { useHasRole } from "../../api/session";
import type { AuditEntry } from "../../api/types";
import { formatCount } from "../../format/numbers";
import { AUDIT_ACTIONS, auditWord } from "../../format/states";
import { CopyableId } from "../../ui/copyable-id";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { LiveList } from "../../ui/live-list";
import { OptionFilter } from "../../ui/option-filter";
import { Page } from "../../ui/page";
import { ProblemNote } from "../../ui/problem-note";
import { columnsOf } from "../../ui/table";
import text from "../../ui/text.module.css";
import { TextFilter } from "../../ui/text-filter";
import { Time } from "../../ui/time";
import { TimeRangeFilter } from "../../ui/time-range-filter";
import { TwoLines } from "../../ui/two-lines";
import styles from "./audit.module.css";
import { Chain } from "./chain";

const PAGE_SIZE = 20;
const route = getRouteApi("/audit");

const column = columnsOf<AuditEntry>();
const columns = [
  column.display({
    id: "at",
    header: "Time",
    cell: ({ row }) => <Time iso={row.original.at} full />,
  }),
  column.display({
    id: "actor",
    header: "Operator",
    meta: { narrow: "beside" },
    cell: ({ row }) => <bdi className={text.strong}>{row.original.actor}</bdi>,
  }),
  column.display({
    id: "action",
    header: "Action",
    meta: { narrow: "line" },
    cell: ({ row: { original: entry } }) => (
      <TwoLines second={<code>{entry.action}</code>}>{auditWord(entry.action)}</TwoLines>
    ),
  }),
  column.display({
    id: "subject",
    header: "Subject",
    cell: ({ row }) => <CopyableId text={row.original.subject} name="subject" length={12} />,
  }),
  column.display({
    id: "detail",
    header: "Detail",
    meta: { narrow: "line" },
    cell: ({ row }) => <Detail detail={row.original.detail} />,
  }),
  column.display({
    id: "request",
    header: "Request",
    cell: ({ row: { original: entry } }) =>
      entry.requestId ? (
        <CopyableId text={entry.requestId} name="request ID" />
      ) : (
        <span className={text.dim}>none</span>
      ),
  }),
];

/** The members of an entry's detail that have a value. */
function Detail({ detail }: { detail: AuditEntry["detail"] }) {
  const members = Object.entries(detail as Record<string, unknown>).filter(([, value]) => value != null);
  return (
    <code className={styles.detail}>
      {members.map(([name, value]) => `${name}: ${memberText(value)}`).join(", ")}
    </code>
  );
}

/** A value in one line. Of a long list only the number: the export has it whole. */
function memberText(value: unknown): string {
  if (Array.isArray(value) && value.length > SHOWN_VALUES) return `${formatCount(value.length)} values`;
  return typeof value === "string" ? value : JSON.stringify(value);
}
const SHOWN_VALUES = 3;

/** What operators did, were refused, or read of personal data. */
export function AuditPage() {
  const isAdmin = useHasRole("admin");
  return (
    <Page title="Audit log" actions={isAdmin && <Export />}>
      {isAdmin ? (
        <>
          <Chain />
          <AuditList />
        </>
      ) : (
        <EmptyState framed title="Only admins can read the audit log">
          Sign in with the token of an admin.
        </EmptyState>
      )}
    </Page>
  );
}

function useFilter() {
  const { actor, action, subject, traceId, from, to } = route.useSearch();
  const filter = { actor, action, subject, traceId, from, to };
  return { filter, isFiltered: Object.values(filter).some((value) => value !== undefined) };
}

function AuditList() {
  const { page = 1 } = route.useSearch();
  const { filter, isFiltered } = useFilter();
  const navigate = route.useNavigate();
  const entries = useQuery({
    ...listAudit({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, filter),
    // Entries come with no update.
    refetchInterval: 30_000,
  });
  const narrow = (part: Partial<typeof filter>) =>
    navigate({ search: (old) => ({ ...old, ...part, page: undefined }) });
  return (
    <>
      <FilterBar
        isFiltered={isFiltered}
        onClear={() => navigate({ search: ({ zone }) => (zone ? { zone } : {}) })}
      >
        <OptionFilter
          label="Action"
          allLabel="All actions"
          options={AUDIT_ACTIONS.map((value) => ({ value, label: auditWord(value) }))}
          value={filter.action}
          onChange={(action) => narrow({ action })}
        />
        <TextFilter label="Operator" value={filter.actor} onChange={(actor) => narrow({ actor })} />
        <TextFilter label="Subject" value={filter.subject} onChange={(subject) => narrow({ subject })} />
        <TextFilter label="Trace ID" value={filter.traceId} onChange={(traceId) => narrow({ traceId })} />
        <TimeRangeFilter from={filter.from} to={filter.to} onChange={narrow} />
      </FilterBar>
      <LiveList
        query={entries}
        itemNoun="entries"
        label="Audit log"
        columns={columns}
        rowKey={(entry) => String(entry.id)}
        linked={false}
        page={page}
        pageSize={PAGE_SIZE}
        filter={isFiltered ? JSON.stringify(filter) : undefined}
        empty={
          <EmptyState framed title={isFiltered ? "No entries match the filters" : "No entries yet"}>
            Actions of operators, refused requests and readings of personal data are listed here.
          </EmptyState>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
    </>
  );
}

/** Saves the entries that match the filters as a file of JSON lines. */
function Export() {
  const { filter, isFiltered } = useFilter();
  const exported = useExportAudit();
  return (
    <>
      {exported.error && <ProblemNote problem={asProblem(exported.error)} />}
      <Button
        variant="default"
        loading={exported.isPending}
        onClick={() => exported.mutate(filter, { onSuccess: (file) => save(file, "audit-log.ndjson") })}
      >
        {isFiltered ? "Export these" : "Export all"}
      </Button>
    </>
  );
}

function save(file: Blob, name: string) {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
