import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { asProblem, type FieldError } from "../../api/problem";
import { getAnalytics } from "../../api/queries/analytics";
import { listVessels } from "../../api/queries/vessels";
import { useFleetPart } from "../../api/session";
import type { Analytics, RecordType, WindowWidth } from "../../api/types";
import {
  analyticsStatus,
  type Headline,
  headlines,
  isCounted,
  isEmpty,
  isOfVessel,
  lagMissing,
  windowRows,
} from "../../format/analytics";
import { capitalize } from "../../format/capitalize";
import { vesselName } from "../../format/records";
import { RECORD_TYPE_ORDER, recordTypeNames } from "../../format/states";
import { formatWindow } from "../../format/times";
import { Announcement } from "../../ui/announcement";
import { Card } from "../../ui/card";
import { ChartCard } from "../../ui/chart-card";
import { durationColumns, lagColumns, throughputColumns } from "../../ui/chart-columns";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { lazyComponent } from "../../ui/lazy-component";
import { OptionFilter } from "../../ui/option-filter";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { NamedRecordLink } from "../../ui/record-link";
import { StatusBanner } from "../../ui/status-banner";
import text from "../../ui/text.module.css";
import { TextFilter } from "../../ui/text-filter";
import { Time } from "../../ui/time";
import { TimeRangeFilter } from "../../ui/time-range-filter";
import { useZone } from "../../ui/zone";
import styles from "./analytics.module.css";
import { FailureCounts, FindingCounts } from "./count-tables";

const ThroughputChart = lazyComponent(() => import("../../ui/charts"), "ThroughputChart");
const LagChart = lazyComponent(() => import("../../ui/charts"), "LagChart");
const DurationChart = lazyComponent(() => import("../../ui/charts"), "DurationChart");

const route = getRouteApi("/analytics");

/** How much was synced, how well and how fast, in each hour or day. */
export function AnalyticsPage() {
  const { zone: _, ...filter } = route.useSearch();
  const navigate = route.useNavigate();
  const narrow = (part: Partial<typeof filter>) => navigate({ search: (old) => ({ ...old, ...part }) });
  const isForWhole = useFleetPart() === null;
  // With a token for a part of the fleet, figures are of one vessel.
  const isAsked = isForWhole || filter.vessel !== undefined;
  const analytics = useQuery({ ...getAnalytics(filter), enabled: isAsked });
  return (
    <Page title="Analytics">
      <FilterBar
        isFiltered={Object.keys(filter).length > 0}
        onClear={() => navigate({ search: ({ zone }) => (zone ? { zone } : {}) })}
      >
        <OptionFilter<WindowWidth>
          label="Window"
          allLabel="By hour"
          options={[{ value: "day", label: "By day, UTC" }]}
          value={filter.window}
          onChange={(window) => narrow({ window: window === "day" ? window : undefined })}
        />
        <OptionFilter<RecordType>
          label="Record type"
          allLabel="All records"
          options={RECORD_TYPE_ORDER.map((value) => ({ value, label: recordTypeNames(value).many }))}
          value={filter.recordType}
          onChange={(recordType) => narrow({ recordType })}
        />
        {isForWhole ? (
          <TextFilter label="Vessel ID" value={filter.vessel} onChange={(vessel) => narrow({ vessel })} />
        ) : (
          <OwnVessel value={filter.vessel} onChange={(vessel) => narrow({ vessel })} />
        )}
        <TimeRangeFilter from={filter.from} to={filter.to} onChange={narrow} />
      </FilterBar>
      {filter.vessel && (
        <p className={text.dim}>
          Only <NamedRecordLink recordType="vessel" sourceId={filter.vessel} /> and its equipment.
        </p>
      )}
      {analytics.isError && <FilterErrors errors={asProblem(analytics.error).errors} />}
      {isAsked ? (
        <QueryResult query={analytics} lines={12}>
          {(data) => <Figures data={data} isOfType={filter.recordType !== undefined} />}
        </QueryResult>
      ) : (
        <EmptyState framed title="Choose a vessel">
          Your token is for a part of the fleet: figures are of one vessel at a time.
        </EmptyState>
      )}
    </Page>
  );
}

/** Selects one of the vessels that the operator's token is for. */
function OwnVessel(props: { value: string | undefined; onChange: (vessel: string | undefined) => void }) {
  const vessels = useQuery(listVessels()).data?.data ?? [];
  return (
    <OptionFilter
      label="Vessel"
      allLabel="Choose a vessel"
      options={vessels.map((vessel) => ({ value: vessel.sourceId, label: vesselName(vessel) }))}
      value={props.value}
      onChange={props.onChange}
    />
  );
}

/** What is wrong with which filter. */
const FilterErrors = ({ errors }: { errors: FieldError[] }) =>
  errors.map(({ pointer, detail }) => (
    <p key={pointer}>
      <strong>{capitalize(pointer.replace("#/", ""))}</strong> {detail.replace(/`(\w+)`/g, "“$1”")}.
    </p>
  ));

/** What the service has counted. */
export function Figures({ data, isOfType }: { data: Analytics; isOfType: boolean }) {
  const status = analyticsStatus(data);
  return (
    <>
      <Announcement text={status.headline} />
      <StatusBanner
        status={status}
        {...(data.countedUntil
          ? { figure: { value: <Time iso={data.countedUntil} />, unit: "counted until" } }
          : {})}
      />
      {!isCounted(data) ? (
        <EmptyState framed title="No figures yet">
          They come within a minute while the scheduler runs. A history from before is counted in steps of a
          week.
        </EmptyState>
      ) : isEmpty(data) ? (
        <EmptyState framed title="Nothing happened in this time">
          Choose a longer time or fewer filters above. Syncs, approvals and findings are counted here.
        </EmptyState>
      ) : (
        <>
          <Headlines figures={headlines(data, isOfType)} />
          <Charts data={data} isOfType={isOfType} />
          <div className={styles.columns}>
            <Card title="Findings by code">
              <FindingCounts findings={data.findings} />
            </Card>
            <Card title="Failed attempts by class">
              <FailureCounts failures={data.failures} isCounted={!isOfVessel(data)} />
            </Card>
          </div>
        </>
      )}
    </>
  );
}

function Headlines({ figures }: { figures: Headline[] }) {
  return (
    <dl className={styles.headlines} aria-label="Figures of the whole time">
      {figures.map(({ name, value, note }) => (
        <div key={name} className={styles.headline}>
          <dt className={styles.name}>{name}</dt>
          {value !== null && <dd className={styles.value}>{value}</dd>}
          <dd className={styles.note}>{note}</dd>
        </div>
      ))}
    </dl>
  );
}

function Charts({ data, isOfType }: { data: Analytics; isOfType: boolean }) {
  const zone = useZone();
  const { window: width } = data;
  const { rows, windowName, columns } = useMemo(() => {
    const now = Date.now();
    const windowName = (startsAt: string) => formatWindow(startsAt, width, zone, now);
    const columns = {
      throughput: throughputColumns(windowName),
      lag: lagColumns(windowName),
      duration: durationColumns(windowName),
    };
    return { rows: windowRows(data), windowName, columns };
  }, [data, width, zone]);
  const per = width === "day" ? "day" : "hour";
  const ofAllTypes = isOfType ? " of all record types" : "";
  const notByVessel = isOfVessel(data) ? "Not counted by vessel." : undefined;
  return (
    <>
      <ChartCard
        title="Records by outcome"
        caption={`Records of the syncs that ended in each ${per}. Unchanged records are only in the table.`}
        missing={notByVessel}
        rows={rows}
        columns={columns.throughput}
      >
        <ThroughputChart label={`Records by outcome in each ${per}`} rows={rows} windowName={windowName} />
      </ChartCard>
      <div className={styles.columns}>
        <ChartCard
          title="Approval to row"
          caption={`From the change in the onboarding portal until it is here, in each ${per}. A tenth off at most.`}
          missing={lagMissing(data)}
          rows={rows}
          columns={columns.lag}
        >
          <LagChart label={`Time from approval to row in each ${per}`} rows={rows} windowName={windowName} />
        </ChartCard>
        <ChartCard
          title="Sync durations"
          caption={`Syncs${ofAllTypes} that ended in each ${per}. A tenth off at most.`}
          missing={notByVessel ?? (data.total.syncDuration ? undefined : "No sync ended in this time.")}
          rows={rows}
          columns={columns.duration}
        >
          <DurationChart label={`Durations of syncs in each ${per}`} rows={rows} windowName={windowName} />
        </ChartCard>
      </div>
    </>
  );
}
