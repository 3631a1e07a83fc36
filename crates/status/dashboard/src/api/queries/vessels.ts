// The vessels of the fleet, with what waits for somebody.
import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { keys } from "./keys";
import { LIST_LIMIT } from "./paging";

/** The vessels, worst first, at most 200. */
export const listVessels = () =>
  queryOptions({
    queryKey: [...keys.overview, "vessels"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/sync/vessels", { params: { query: { limit: LIST_LIMIT, offset: 0 } }, signal }),
      ),
  });
