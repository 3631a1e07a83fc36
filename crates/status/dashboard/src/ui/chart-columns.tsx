import type { ReactNode } from "react";
import { CHARTED_OUTCOMES, type Coverage, type WindowRow } from "../format/analytics";
import { formatCount } from "../format/numbers";
import { formatDuration } from "../format/times";
import { type Column, columnsOf } from "./table";
import text from "./text.module.css";

const column = columnsOf<WindowRow>();

export type WindowName = (startsAt: string) => string;

const COVERAGES: Record<Coverage, string> = { counted: "", partly: " so far", not_yet: "" };

const windowColumn = (windowName: WindowName) =>
  column.display({
    id: "window",
    header: "From",
    meta: { rowHeader: true },
    cell: ({ row: { original } }) => (
      <>
        <time dateTime={original.startsAt} className={text.oneLine}>
          {windowName(original.startsAt)}
        </time>
        <span className={text.dim}>{COVERAGES[original.coverage]}</span>
      </>
    ),
  });

/** A figure, or why there is none. */
const figure = (row: WindowRow, value: number | null, format: (value: number) => ReactNode): ReactNode => {
  if (value !== null) return format(value);
  return <span className={text.dim}>{row.coverage === "not_yet" ? "not counted yet" : "none"}</span>;
};

const figureColumn = (
  key: Exclude<keyof WindowRow, "startsAt" | "coverage">,
  header: string,
  format: (value: number) => ReactNode,
) =>
  column.display({
    id: key,
    header,
    meta: { figure: true },
    cell: ({ row: { original } }) => figure(original, original[key], format),
  });

export const throughputColumns = (windowName: WindowName): Column<WindowRow>[] => [
  windowColumn(windowName),
  ...CHARTED_OUTCOMES.map(({ key, word }) => figureColumn(key, word, formatCount)),
  figureColumn("unchanged", "Unchanged", formatCount),
];

export const lagColumns = (windowName: WindowName): Column<WindowRow>[] => [
  windowColumn(windowName),
  figureColumn("lagCount", "Approvals", formatCount),
  figureColumn("lagP50", "Half within", formatDuration),
  figureColumn("lagP99", "99 of 100 within", formatDuration),
];

export const durationColumns = (windowName: WindowName): Column<WindowRow>[] => [
  windowColumn(windowName),
  figureColumn("syncCount", "Syncs", formatCount),
  figureColumn("syncP50", "Half within", formatDuration),
  figureColumn("syncP99", "99 of 100 within", formatDuration),
];
