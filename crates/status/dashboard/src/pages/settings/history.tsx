import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listConfigurationChanges } from "../../api/queries/settings";
import type { ConfigurationChange, ConfigurationPart } from "../../api/types";
import { changeRows } from "../../format/configuration";
import { auditWord, CONFIGURATION_PARTS } from "../../format/states";
import { Card } from "../../ui/card";
import { ChangedValues, ChangeEntry } from "../../ui/change-entry";
import { DiffTable } from "../../ui/diff-table";
import { EmptyState } from "../../ui/empty-state";
import { OptionFilter } from "../../ui/option-filter";
import { Pager } from "../../ui/pager";
import { QueryResult } from "../../ui/query-result";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { useZone } from "../../ui/zone";

const PAGE_SIZE = 10;
const route = getRouteApi("/settings");
const PART_OPTIONS = (Object.entries(CONFIGURATION_PARTS) as [ConfigurationPart, string][]).map(
  ([value, label]) => ({ value, label }),
);

/** Who changed settings, schedules, conflict policies and the role mapping, when, and from what to what. */
export function SettingsHistory() {
  const { history: page = 1, part } = route.useSearch();
  const navigate = route.useNavigate();
  const changes = useQuery(
    listConfigurationChanges({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, { part }),
  );
  return (
    <Card
      title="History"
      aside={
        <OptionFilter
          label="Part of the configuration"
          allLabel="All changes"
          options={PART_OPTIONS}
          value={part}
          onChange={(part) =>
            navigate({ search: (old) => ({ ...old, part, history: undefined }), resetScroll: false })
          }
        />
      }
    >
      <QueryResult query={changes} lines={6}>
        {({ data, pagination }) =>
          pagination.total === 0 ? (
            <EmptyState title={part ? `${CONFIGURATION_PARTS[part]}: no changes` : "No changes yet"}>
              Changes of settings, schedules, conflict policies and the role mapping are listed here, with the
              values before and after.
            </EmptyState>
          ) : (
            <>
              <ChangeList changes={data} />
              <Pager
                page={page}
                pageSize={PAGE_SIZE}
                total={pagination}
                itemNoun="changes"
                onPage={(next) =>
                  navigate({
                    search: (old) => ({ ...old, history: next > 1 ? next : undefined }),
                    resetScroll: false,
                  })
                }
              />
            </>
          )
        }
      </QueryResult>
    </Card>
  );
}

export function ChangeList({ changes }: { changes: ConfigurationChange[] }) {
  return (
    <ul aria-label="History">
      {changes.map((change) => (
        <Change key={change.id} change={change} />
      ))}
    </ul>
  );
}

function Change({ change }: { change: ConfigurationChange }) {
  const { action, actor, at, schedule, version, reason } = change;
  const rows = changeRows(change, useZone());
  const what = schedule ? `${auditWord(action)}: ${schedule}` : auditWord(action);
  const isNew = action === "schedule.create";
  return (
    <ChangeEntry
      title={
        <>
          <bdi className={text.strong}>{what}</bdi>
          {version != null && <span className={text.dim}> version {version}</span>}
        </>
      }
      aside={
        <span className={text.dim}>
          <bdi>{actor}</bdi>, <Time iso={at} full />
        </span>
      }
    >
      {reason && (
        <p>
          Reason: <bdi>{reason}</bdi>
        </p>
      )}
      {rows.length === 0 && <p className={text.dim}>The values were not recorded.</p>}
      <ChangedValues count={rows.length} noun="value">
        <DiffTable
          label={`${what}, ${at}`}
          rowHeader="Value"
          beforeHeader={isNew ? null : "Before"}
          afterHeader={action === "schedule.delete" ? null : "After"}
          isChange
          rows={rows}
        />
      </ChangedValues>
    </ChangeEntry>
  );
}
