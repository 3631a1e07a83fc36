import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { RecordType } from "../types";
import { keys } from "./keys";

/** A record that is missing, by its id in the onboarding portal. */
export interface MissingRecord {
  recordType: RecordType;
  sourceId: string;
}

export const diagnose = (missing: MissingRecord | undefined) =>
  queryOptions({
    queryKey: [...keys.doctor, missing ?? "system"],
    queryFn: ({ signal }) => unwrap(client.GET("/api/doctor", { params: { query: { ...missing } }, signal })),
    // A diagnosis is of the moment in which it is asked for.
    staleTime: 0,
  });
