import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listChanges } from "../../api/queries/syncs";
import type { Change, ChangeOutcome, SyncDetail } from "../../api/types";
import { plural } from "../../format/numbers";
import {
  CHANGE_OUTCOMES,
  CONFLICT_KINDS,
  labelOf,
  RECORD_TYPE_ORDER,
  recordTypeNames,
} from "../../format/states";
import { Card } from "../../ui/card";
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

/** What a dry run would do, record by record. */
export function Changes({ sync, isSyncOpen }: { sync: SyncDetail; isSyncOpen: boolean }) {
  const { changes: page = 1, type: recordType, outcome } = route.useSearch();
  const navigate = route.useNavigate();
  const isFiltered = recordType !== undefined || outcome !== undefined;
  const changes = useQuery(
    listChanges(sync.syncId, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, { recordType, outcome }),
  );
  const narrow = (part: { type?: typeof recordType; outcome?: ChangeOutcome | undefined }) =>
    navigate({ search: (old) => ({ ...old, ...part, changes: undefined }), resetScroll: false });
  return (
    <Card
      title="What it would do"
      id="changes"
      aside={
        changes.data && <span className={text.dim}>{plural(changes.data.pagination.total, "record")}</span>
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
            states={CHANGE_OUTCOMES}
            value={outcome}
            onChange={(outcome) => narrow({ outcome })}
          />
        </FilterBar>
        <QueryResult query={changes} lines={6}>
          {({ data, pagination }) =>
            pagination.total === 0 ? (
              <EmptyState title={isFiltered ? "No record matches the filters" : "It would change nothing"}>
                {isSyncOpen
                  ? "Records appear as soon as they are read."
                  : "Unchanged and skipped records are not listed."}
              </EmptyState>
            ) : (
              <>
                <ul aria-label="Changes">
                  {data.map((change) => (
                    <ChangedRecord key={`${change.recordType} ${change.sourceId}`} change={change} />
                  ))}
                </ul>
                <Pager
                  page={page}
                  pageSize={PAGE_SIZE}
                  total={pagination.total}
                  itemNoun="records"
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

/** Fields of a record that is shown without a click. */
const SHOWN_FIELDS_LIMIT = 8;

function ChangedRecord({ change }: { change: Change }) {
  const { recordType, sourceId, label, outcome, fields, conflict } = change;
  const name = label ?? `Unnamed ${recordTypeNames(recordType).one}`;
  const isNew = outcome === "created";
  const diff = (
    <FieldDiff
      label={`Fields of ${name}`}
      before={isNew ? null : side(fields, "old")}
      after={side(fields, "new")}
    />
  );
  return (
    <li className={styles.record}>
      <div className={styles.head}>
        <span>
          <span className={text.strong}>
            <RecordLink recordType={recordType} sourceId={sourceId}>
              {name}
            </RecordLink>
          </span>{" "}
          <span className={styles.id}>
            <RecordId recordType={recordType} sourceId={sourceId} />
          </span>
        </span>
        <StateBadge label={labelOf(CHANGE_OUTCOMES, outcome)} />
      </div>
      {fields.length > 0 &&
        (isNew || fields.length > SHOWN_FIELDS_LIMIT ? (
          <details>
            <summary className={styles.summary}>{plural(fields.length, "field")}</summary>
            {diff}
          </details>
        ) : (
          diff
        ))}
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
    </li>
  );
}

/** One side of the fields, by name. */
const side = <Side extends string>(
  fields: ({ field: string } & Record<Side, unknown>)[],
  name: Side,
): Record<string, unknown> => Object.fromEntries(fields.map((field) => [field.field, field[name]]));
