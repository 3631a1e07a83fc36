// The charts, in a file of their own: their library is loaded after the page.
import { BarChart, LineChart } from "@mantine/charts";
import { CHARTED_OUTCOMES, type WindowRow } from "../format/analytics";
import { formatCount } from "../format/numbers";
import { formatDuration } from "../format/times";
import { chartClass } from "./chart-class";

const OUTCOME_COLORS: Record<(typeof CHARTED_OUTCOMES)[number]["key"], string> = {
  created: "var(--good-fill)",
  updated: "var(--info-fill)",
  deactivated: "var(--neutral)",
  skipped: "var(--neutral-fill)",
  conflict: "var(--warn-fill)",
  rejected: "var(--bad-fill)",
};

const OUTCOME_SERIES = CHARTED_OUTCOMES.map(({ key, word }) => ({
  name: key,
  label: word,
  color: OUTCOME_COLORS[key],
}));

interface ChartProps {
  /** What the chart shows, in words. */
  label: string;
  rows: WindowRow[];
  /** The name of a window, by its beginning. */
  windowName: (startsAt: string) => string;
  isSmall?: boolean;
}

/** Props that all charts have. Their tables are what a keyboard and a screen reader get. */
const chartProps = ({ label, rows, windowName, isSmall = false }: ChartProps) => ({
  role: "img",
  "aria-label": label,
  className: chartClass(isSmall),
  data: rows,
  dataKey: "startsAt",
  accessibilityLayer: false,
  withLegend: true,
  // In the order of the series.
  legendProps: { itemSorter: null },
  textColor: "var(--dim)",
  gridColor: "var(--line)",
  xAxisProps: { tickFormatter: windowName, minTickGap: 24 },
  yAxisProps: { width: 64 },
  tooltipProps: {
    // Without a value while the pointer is on no window.
    labelFormatter: (startsAt: unknown) => (typeof startsAt === "string" ? windowName(startsAt) : ""),
  },
});

export function ThroughputChart(props: ChartProps) {
  // A small chart has room for a legend of one line.
  const series = props.isSmall
    ? OUTCOME_SERIES.filter(({ name }) => props.rows.some((row) => row[name]))
    : OUTCOME_SERIES;
  return (
    <BarChart
      {...chartProps(props)}
      type="stacked"
      series={series}
      maxBarWidth={48}
      valueFormatter={formatCount}
    />
  );
}

export function LagChart(props: ChartProps) {
  return <PercentileChart {...props} half="lagP50" nearlyAll="lagP99" />;
}

export function DurationChart(props: ChartProps) {
  return <PercentileChart {...props} half="syncP50" nearlyAll="syncP99" />;
}

function PercentileChart({
  half,
  nearlyAll,
  ...props
}: ChartProps & { half: keyof WindowRow; nearlyAll: keyof WindowRow }) {
  return (
    <LineChart
      {...chartProps(props)}
      series={[
        { name: half, label: "Half within", color: "var(--info-fill)" },
        { name: nearlyAll, label: "99 of 100 within", color: "var(--warn-fill)", strokeDasharray: "6 3" },
      ]}
      curveType="linear"
      // A window in which nothing was measured is a gap.
      connectNulls={false}
      dotProps={{ r: 3 }}
      yAxisProps={{ width: 64, tickFormatter: (ms: number) => (ms === 0 ? "0" : formatDuration(ms)) }}
      valueFormatter={formatDuration}
    />
  );
}
