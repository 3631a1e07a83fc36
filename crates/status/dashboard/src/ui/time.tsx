import { useSearch } from "@tanstack/react-router";
import { duration, exactMoment, moment, relative, type Zone } from "../format/times";
import { useNow } from "./clock";

/** The zone in which this page shows times; it stands in the URL. */
export const useZone = (): Zone => useSearch({ strict: false, select: (search) => search.zone }) ?? "utc";

/** A moment: how long ago, with the time in the chosen zone on hover and, if `full`, beside it. */
export function Time({ iso, full = false }: { iso: string; full?: boolean }) {
  const zone = useZone();
  const now = useNow();
  return (
    <time dateTime={iso} title={exactMoment(iso, zone)} className="time">
      {full && <span>{moment(iso, zone, now)}</span>}{" "}
      <span className={full ? "dim" : undefined}>{relative(iso, now)}</span>
    </time>
  );
}

/** From `since` to `until`, or to now while there is no end. */
export function Elapsed({ since, until }: { since: string; until: string | null | undefined }) {
  const now = useNow();
  const ms = Math.max(0, (until ? Date.parse(until) : now) - Date.parse(since));
  return <span title={`${count(ms)} ms`}>{duration(until ? ms : Math.floor(ms / 1000) * 1000)}</span>;
}

const count = (ms: number) => new Intl.NumberFormat("en-GB").format(ms);
