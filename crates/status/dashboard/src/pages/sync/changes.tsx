import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listChanges } from "../../api/queries/syncs";
import type { Change, ChangeOutcome, SyncDetail } from "../../api/types";
import { pluralTotal } from "../../format/numbers";
import {
  CHANGE_OUTCOMES,
  CONFLICT_KINDS,
  DRY_RUN_OUTCOMES,
  labelOf,
  RECORD_TYPE_ORDER,
  recordTypeNames,
  type StateLabel,
  SYNC_OUTCOMES,
} from "../../format/states";
import { Card } from "../../ui/card";
import { ChangedValues, ChangeEntry } from "../../ui/change-entry";
import { EmptyState } from "../../ui/empty-state";
import { FieldDiff } from "../../ui/field-diff";
import { FilterBar } from "../../ui/filter-bar";
import { OptionFilter } from "../../ui/option-filter";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import { RecordId, RecordLink } from "../../ui/record-link";
import { StateBadge } from "../../ui/state-badge";
import { StateFilter } from "../../ui/state-filter";
import text from "../../ui/text.module.css";
import styles from "./changes.module.css";

const PAGE_SIZE = 20;
const route = getRouteApi("/syncs/$syncId");

/** What of the card depends on whether the sync writes. `nothing`: of one that has ended. */
const OF_DRY_RUN = {
  title: "What it would do",
  nothing: "It would change nothing",
  outcomes: DRY_RUN_OUTCOMES,
};
const OF_SYNC = { title: "What it changed", nothing: "It changed nothing", outcomes: SYNC_OUTCOMES };

/** What a sync changed, or a dry run would change, record by record. */
export function Changes({ sync, isSyncOpen }: { sync: SyncDetail; isSyncOpen: boolean }) {
  const { changes: page = 1, type: recordType, outcome } = route.useSearch();
  const navigate = route.useNavigate();
  const isFiltered = recordType !== undefined || outcome !== undefined;
  const { title, nothing, outcomes } = sync.dryRun ? OF_DRY_RUN : OF_SYNC;
  const changes = useQuery(
    listChanges(sync.syncId, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, { recordType, outcome }),
  );
  const narrow = (part: { type?: typeof recordType; outcome?: ChangeOutcome | undefined }) =>
    navigate({ search: (old) => ({ ...old, ...part, changes: undefined }), resetScroll: false });
  return (
    <Card
      title={title}
      id="changes"
      aside={
        changes.data && <span className={text.dim}>{pluralTotal(changes.data.pagination, "record")}</span>
      }
      allowOverflow
    >
      <div className={styles.changes}>
        <FilterBar isFiltered={isFiltered} onClear={() => narrow({ type: undefined, outcome: undefined })}>
          <OptionFilter
            label="Record type"
            allLabel="All record types"
            options={RECORD_TYPE_ORDER.map((value) => ({ value, label: recordTypeNames(value).many }))}
            value={recordType}
            onChange={(type) => narrow({ type })}
          />
          <StateFilter<ChangeOutcome>
            label="Outcome"
            allLabel="All outcomes"
            states={outcomes as Record<ChangeOutcome, StateLabel>}
            value={outcome}
            onChange={(outcome) => narrow({ outcome })}
          />
        </FilterBar>
        <QueryResult query={changes} lines={6}>
          {({ data, pagination }) =>
            pagination.total === 0 ? (
              <EmptyState
                title={isFiltered ? "No record matches the filters" : isSyncOpen ? "No changes yet" : nothing}
              >
                {isSyncOpen
                  ? "Records appear as soon as they are read."
                  : "Unchanged and skipped records are not listed."}
              </EmptyState>
            ) : (
              <>
                <ul aria-label="Changes">
                  {data.map((change) => (
                    <ChangedRecord
                      key={`${change.recordType} ${change.sourceId} ${change.outcome}`}
                      change={change}
                    />
                  ))}
                </ul>
                <Pager
                  page={page}
                  pageSize={PAGE_SIZE}
                  total={pagination}
                  itemNoun="changed records"
                  onPage={(next) =>
                    navigate({
                      search: (old) => ({ ...old, changes: next > 1 ? next : undefined }),
                      resetScroll: false,
                    })
                  }
                />
              </>
            )
          }
        </QueryResult>
      </div>
    </Card>
  );
}

export function ChangedRecord({ change }: { change: Change }) {
  const { recordType, sourceId, label, outcome, fields, fieldsKnown, conflict } = change;
  const name = label ?? `Unnamed ${recordTypeNames(recordType).one}`;
  const isNew = outcome === "created";
  return (
    <ChangeEntry
      title={
        <>
          <span className={text.strong}>
            <RecordLink recordType={recordType} sourceId={sourceId}>
              {name}
            </RecordLink>
          </span>{" "}
          <span className={styles.id}>
            <RecordId recordType={recordType} sourceId={sourceId} />
          </span>
        </>
      }
      aside={<StateBadge label={labelOf(CHANGE_OUTCOMES, outcome)} />}
    >
      <ChangedValues count={fields.length} noun="field" isNew={isNew}>
        <FieldDiff
          label={`Fields of ${name}`}
          before={isNew ? null : side(fields, "old")}
          after={side(fields, "new")}
        />
      </ChangedValues>
      {!fieldsKnown && (
        <p className={text.dim}>
          Which values it wrote is not known any more: the record was changed here since then.
        </p>
      )}
      {conflict && (
        <section aria-label={`Conflict of ${name}`}>
          <p className={styles.conflict}>
            A conflict would be opened: {labelOf(CONFLICT_KINDS, conflict.kind).word.toLowerCase()}. The
            record would have the values of the {conflict.winner === "source" ? "onboarding" : "maintenance"}{" "}
            portal.
          </p>
          <FieldDiff
            label={`Both sides of ${name}`}
            beforeLabel="Maintenance portal"
            afterLabel="Onboarding portal"
            before={side(conflict.fields, "local")}
            after={side(conflict.fields, "source")}
          />
        </section>
      )}
      {outcome === "rejected" && <p className={text.dim}>The findings below say why it would be rejected.</p>}
    </ChangeEntry>
  );
}

/** One side of the fields, by name. */
const side = <Side extends string>(
  fields: ({ field: string } & Record<Side, unknown>)[],
  name: Side,
): Record<string, unknown> => Object.fromEntries(fields.map((field) => [field.field, field[name]]));
