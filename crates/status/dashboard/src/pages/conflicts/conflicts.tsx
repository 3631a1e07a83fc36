import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { listConflicts } from "../../api/queries/conflicts";
import { getOverview } from "../../api/queries/overview";
import { useHasRole } from "../../api/session";
import type { Conflict, Overview, RecordType } from "../../api/types";
import { hasSynced } from "../../format/fleet-status";
import { plural } from "../../format/numbers";
import {
  CONFLICT_KIND_OPTIONS,
  CONFLICT_STATES,
  conflictKind,
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
import { RecordId } from "../../ui/record-link";
import { StateBadge } from "../../ui/state-badge";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";
import { columnsOf, rowLink } from "../../ui/table";
import text from "../../ui/text.module.css";
import { TextFilter } from "../../ui/text-filter";
import { Time } from "../../ui/time";
import { TwoLines } from "../../ui/two-lines";
import { BulkResolve, SelectConflict, SelectionContext } from "./bulk";
import styles from "./conflicts.module.css";
import { ConflictDetails } from "./details";

const PAGE_SIZE = 20;
const route = getRouteApi("/conflicts");

const column = columnsOf<Conflict>();
const columns = [
  column.display({
    id: "record",
    header: "Record",
    cell: ({ row: { original: conflict } }) => (
      <span className={styles.record}>
        <SelectConflict conflict={conflict} />
        <TwoLines second={<RecordId recordType={conflict.recordType} sourceId={conflict.sourceId} />}>
          <Link
            from="/conflicts"
            to="/conflicts"
            search={(old) => ({ ...old, open: conflict.id })}
            {...rowLink}
          >
            <bdi>{conflict.label ?? conflict.sourceId}</bdi>
          </Link>
        </TwoLines>
      </span>
    ),
  }),
  column.display({
    id: "kind",
    header: "Kind",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={conflictKind(row.original)} />,
  }),
  column.display({
    id: "summary",
    header: "What the portals disagree about",
    meta: { narrow: "line" },
    cell: ({ row }) => <bdi className={text.sentence}>{row.original.summary}</bdi>,
  }),
  column.display({
    id: "state",
    header: "State",
    cell: ({ row }) => <StateBadge label={labelOf(CONFLICT_STATES, row.original.state)} />,
  }),
  column.display({
    id: "openedAt",
    header: "Found",
    cell: ({ row }) => <Time iso={row.original.openedAt} full />,
  }),
];

/** Conflicts between the two portals as they stand now, whichever sync found them. */
export function ConflictsPage() {
  const { page = 1, state = "open", recordType, sourceId, syncId, kind, open } = route.useSearch();
  const isOperator = useHasRole("operator");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const navigate = route.useNavigate();
  const conflicts = useQuery(
    listConflicts(
      { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE },
      { state, recordType, sourceId, syncId, kind },
    ),
  );
  const isFiltered =
    state !== "open" || [recordType, sourceId, syncId, kind].some((value) => value !== undefined);
  const canSelect = isOperator && state === "open";
  const toggle = (id: string) =>
    setSelected((old) => new Set(old.has(id) ? [...old].filter((other) => other !== id) : [...old, id]));
  const overview = useQuery(getOverview()).data;
  const narrow = (part: {
    state?: "resolved" | undefined;
    recordType?: RecordType | undefined;
    sourceId?: string | undefined;
    syncId?: string | undefined;
    kind?: Conflict["kind"] | undefined;
  }) => {
    setSelected(new Set());
    navigate({ search: (old) => ({ ...old, ...part, page: undefined }) });
  };
  const close = () => navigate({ search: (old) => ({ ...old, open: undefined }), resetScroll: false });

  return (
    <Page title="Conflicts">
      <StatusBanner status={overview && conflictsStatus(overview)} />
      <FilterBar
        isFiltered={isFiltered}
        onClear={() => navigate({ search: ({ zone }) => (zone ? { zone } : {}) })}
      >
        <StateFilter<"resolved">
          allLabel="Open"
          states={{ resolved: CONFLICT_STATES.resolved }}
          value={state === "open" ? undefined : state}
          onChange={(state) => narrow({ state })}
        />
        <OptionFilter
          label="Record type"
          allLabel="All record types"
          options={RECORD_TYPE_ORDER.map((value) => ({ value, label: recordTypeNames(value).many }))}
          value={recordType}
          onChange={(recordType) => narrow({ recordType })}
        />
        <OptionFilter
          label="Kind"
          allLabel="All kinds"
          options={CONFLICT_KIND_OPTIONS}
          value={kind}
          onChange={(kind) => narrow({ kind })}
        />
        <TextFilter label="Record ID" value={sourceId} onChange={(sourceId) => narrow({ sourceId })} />
        <TextFilter label="Sync ID" value={syncId} onChange={(syncId) => narrow({ syncId })} />
      </FilterBar>
      <SelectionContext.Provider value={canSelect ? { selected, toggle } : null}>
        <LiveList
          query={conflicts}
          itemNoun="conflicts"
          label="Conflicts"
          columns={columns}
          rowKey={(conflict) => conflict.id}
          page={page}
          pageSize={PAGE_SIZE}
          filter={isFiltered ? JSON.stringify({ state, recordType, sourceId, syncId, kind }) : undefined}
          empty={
            <EmptyState framed title={state === "open" ? "No open conflicts" : "No resolved conflicts"}>
              A conflict is found when both portals have changed a record, one has withdrawn it, or two
              records have one code.
            </EmptyState>
          }
          {...(canSelect
            ? {
                toolbar: (rows: Conflict[]) => (
                  <BulkResolve
                    shown={rows}
                    selected={selected}
                    onSelect={(ids) => setSelected(new Set(ids))}
                  />
                ),
              }
            : {})}
          onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
        />
      </SelectionContext.Provider>
      <Drawer opened={open !== undefined} title="Conflict" onClose={close}>
        {open && <ConflictDetails key={open} id={open} />}
      </Drawer>
    </Page>
  );
}

export function conflictsStatus(overview: Overview): Status {
  const { openConflicts: open } = overview;
  if (open == null) {
    return {
      tone: "neutral",
      headline: "The number of open conflicts is unknown",
      detail: "The list shows them.",
    };
  }
  if (open > 0) {
    return {
      tone: "warn",
      headline: `${plural(open, "conflict")} ${open === 1 ? "is" : "are"} open`,
      detail: "Both sides are kept. An operator decides which values stay.",
    };
  }
  return hasSynced(overview)
    ? {
        tone: "good",
        headline: "No open conflicts",
        detail: "The portals agree, or an operator has decided.",
      }
    : { tone: "neutral", headline: "No conflicts yet", detail: "Nothing has been synced yet." };
}
