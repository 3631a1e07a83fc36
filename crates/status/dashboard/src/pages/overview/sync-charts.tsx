import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { asProblem } from "../../api/problem";
import { getAnalytics } from "../../api/queries/analytics";
import type { Analytics } from "../../api/types";
import { isCounted, lagMissing, throughputMissing, windowRows } from "../../format/analytics";
import { formatWindow } from "../../format/times";
import { Card } from "../../ui/card";
import { ChartCard } from "../../ui/chart-card";
import { lagColumns, throughputColumns } from "../../ui/chart-columns";
import charts from "../../ui/charts.module.css";
import { lazyComponent } from "../../ui/lazy-component";
import { Time } from "../../ui/time";
import { useZone } from "../../ui/zone";
import styles from "./sync-charts.module.css";

const ThroughputChart = lazyComponent(() => import("../../ui/charts"), "ThroughputChart");
const LagChart = lazyComponent(() => import("../../ui/charts"), "LagChart");

const THROUGHPUT = "Records by outcome";
const LAG = "Approval to row";

/**
 * What the syncs of the last day did and how long approvals took, by hour. Both cards are as high while they load and without
 * figures as with them, so that nothing below moves.
 */
export function SyncCharts() {
  const analytics = useQuery(getAnalytics({}));
  if (analytics.data) return <Charts data={analytics.data} />;
  const note = analytics.isError && (
    <>
      <p>The figures cannot be loaded: {asProblem(analytics.error).title}.</p>
      <Button size="xs" variant="default" onClick={() => analytics.refetch()}>
        Retry
      </Button>
    </>
  );
  return (
    <div className={styles.cards}>
      {[THROUGHPUT, LAG].map((title) => (
        <Card key={title} title={title}>
          <div className={charts.missing}>{note}</div>
        </Card>
      ))}
    </div>
  );
}

export function Charts({ data }: { data: Analytics }) {
  const zone = useZone();
  const { rows, windowName, columns } = useMemo(() => {
    const now = Date.now();
    const windowName = (startsAt: string) => formatWindow(startsAt, data.window, zone, now);
    const columns = { throughput: throughputColumns(windowName), lag: lagColumns(windowName) };
    return { rows: windowRows(data), windowName, columns };
  }, [data, zone]);
  // The newest syncs may not be counted yet.
  const missing = (reason: string | undefined) => {
    if (!isCounted(data)) return "No figures yet. The scheduler counts every half minute.";
    if (reason === undefined) return undefined;
    return (
      <>
        <p>{reason}</p>
        {data.countedUntil && (
          <p>
            Counted until <Time iso={data.countedUntil} />
          </p>
        )}
      </>
    );
  };
  const toAnalytics = <Link to="/analytics">Analytics</Link>;
  return (
    <div className={styles.cards}>
      <ChartCard
        title={THROUGHPUT}
        aside={toAnalytics}
        caption="Of the syncs that ended in each hour of the last day, without unchanged ones."
        missing={missing(throughputMissing(data))}
        rows={rows}
        columns={columns.throughput}
        isSmall
      >
        <ThroughputChart label={`${THROUGHPUT} in each hour`} rows={rows} windowName={windowName} isSmall />
      </ChartCard>
      <ChartCard
        title={LAG}
        aside={toAnalytics}
        caption="From the change in the onboarding portal until it is here, in each hour of the last day."
        missing={missing(lagMissing(data))}
        rows={rows}
        columns={columns.lag}
        isSmall
      >
        <LagChart
          label="Time from approval to row in each hour"
          rows={rows}
          windowName={windowName}
          isSmall
        />
      </ChartCard>
    </div>
  );
}
