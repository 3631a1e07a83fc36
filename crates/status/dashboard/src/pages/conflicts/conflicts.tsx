import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getOverview, listConflicts } from "../../api/queries";
import type { Conflict, Overview } from "../../api/types";
import { hasSynced } from "../../format/fleet-status";
import { plural } from "../../format/numbers";
import { CONFLICT_STATES, conflictKind, labelOf } from "../../format/states";
import type { Status } from "../../format/status";
import { CopyableId } from "../../ui/copyable-id";
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
import { TwoLines } from "../../ui/two-lines";
import { ConflictDetails } from "./details";

const PAGE_SIZE = 20;
const route = getRouteApi("/conflicts");

const column = columnsOf<Conflict>();
const columns = [
  column.display({
    id: "record",
    header: "Record",
    cell: ({ row: { original: conflict } }) => (
      <TwoLines
        second={
          <span className={text.oneLine}>
            {conflict.recordType} <CopyableId text={conflict.sourceId} name="record ID" />
          </span>
        }
      >
        <Link
          from="/conflicts"
          to="/conflicts"
          search={(old) => ({ ...old, open: conflict.id })}
          {...rowLink}
        >
          <bdi>{conflict.label ?? conflict.sourceId}</bdi>
        </Link>
      </TwoLines>
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
  const { page = 1, state = "open", open } = route.useSearch();
  const navigate = route.useNavigate();
  const conflicts = useQuery(listConflicts({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, state));
  const overview = useQuery(getOverview()).data;
  const close = () => navigate({ search: (old) => ({ ...old, open: undefined }), resetScroll: false });

  return (
    <Page
      title="Conflicts"
      actions={
        <StateFilter<"resolved">
          allLabel="Open"
          states={{ resolved: CONFLICT_STATES.resolved }}
          value={state === "open" ? undefined : state}
          onChange={(next) => navigate({ search: (old) => ({ ...old, page: undefined, state: next }) })}
        />
      }
    >
      {overview && <StatusBanner status={conflictsStatus(overview)} />}
      <LiveList
        query={conflicts}
        itemNoun="conflicts"
        label="Conflicts"
        columns={columns}
        rowKey={(conflict) => conflict.id}
        page={page}
        pageSize={PAGE_SIZE}
        filter={state === "open" ? undefined : state}
        empty={
          <EmptyState framed title={state === "open" ? "No open conflicts" : "No resolved conflicts"}>
            A conflict is found when both portals have changed a record, one has withdrawn it, or two records
            have one code.
          </EmptyState>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
      <Drawer opened={open !== undefined} title="Conflict" onClose={close}>
        {open && <ConflictDetails id={open} />}
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
