import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import { keys } from "./keys";

export const getRoleMapping = () =>
  queryOptions({
    queryKey: keys.roleMapping,
    queryFn: ({ signal }) => unwrap(client.GET("/api/sync/role-mapping", { signal })),
  });
