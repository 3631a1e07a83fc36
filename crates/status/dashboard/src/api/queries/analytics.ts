import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { keys } from "./keys";
import { type Filter, type Query, queryOf } from "./paging";

export type AnalyticsFilter = Filter<Query<"getAnalytics">>;

export const getAnalytics = (filter: AnalyticsFilter) =>
  queryOptions({
    queryKey: keys.analytics(filter),
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/sync/analytics", { params: { query: queryOf({}, filter) }, signal })),
    placeholderData: keepPreviousData,
    // Figures come with no update. The service counts them every half minute.
    refetchInterval: 30_000,
  });
