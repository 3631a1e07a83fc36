import { useQuery } from "@tanstack/react-query";
import { getServedBuild, openBuild } from "../api/queries/version";

/** Whether the service has another build of the dashboard than the open page; undefined while that is not known. */
export function useIsOutdated(): boolean | undefined {
  const served = useQuery(getServedBuild()).data;
  const open = openBuild();
  return served === undefined || open === null ? undefined : served !== open;
}
