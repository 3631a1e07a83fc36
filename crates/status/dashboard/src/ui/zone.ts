import { useSearch } from "@tanstack/react-router";
import type { Zone } from "../format/times";

/** The time zone in which pages show times; part of the URL. */
export const useZone = (): Zone => useSearch({ strict: false, select: (search) => search.zone }) ?? "utc";
