import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { keys } from "./keys";

export const getOverview = () =>
  queryOptions({
    queryKey: keys.overview,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/status", { signal })),
    // For values that no live update carries, such as the next scheduled sync.
    refetchInterval: 30_000,
  });
