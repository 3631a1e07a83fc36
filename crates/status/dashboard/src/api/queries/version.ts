// Versions: of the service, of this page, and of the page that the service has now.
import { queryOptions } from "@tanstack/react-query";
import { Problem } from "../problem";
import { keys } from "./keys";

export interface ServiceVersion {
  service: string;
  version: string;
}

/** The version of the service. Not part of the operator API: it is asked like its health. */
export const getServiceVersion = () =>
  queryOptions({
    queryKey: keys.serviceVersion,
    queryFn: async ({ signal }): Promise<ServiceVersion> => {
      const { service, version } = JSON.parse(await textOf("/version", signal)) as Partial<ServiceVersion>;
      if (typeof service === "string" && typeof version === "string") return { service, version };
      throw unreadable("/version");
    },
  });

/** The file that a page starts with. Its name has a hash of all files of the build. */
const ENTRY_FILE = /\/assets\/index-([\w-]+)\.js/;

/** The build that this page was loaded from; null while it is developed, when there is no build. */
export const openBuild = (): string | null =>
  ENTRY_FILE.exec(document.querySelector("script[type=module]")?.getAttribute("src") ?? "")?.[1] ?? null;

/** How often the service is asked for its build, in ms. It is asked too when the live connection is back. */
const BUILD_INTERVAL = 10 * 60_000;

/** The build that the service has now. Another one than the open one: the service was replaced while the page was open. */
export const getServedBuild = () =>
  queryOptions({
    queryKey: keys.servedBuild,
    queryFn: async ({ signal }) => {
      const build = ENTRY_FILE.exec(await textOf("/", signal))?.[1];
      if (build) return build;
      throw unreadable("/");
    },
    refetchInterval: BUILD_INTERVAL,
    retry: false,
  });

async function textOf(path: string, signal: AbortSignal): Promise<string> {
  const response = await globalThis.fetch(path, { signal, cache: "no-cache" });
  if (response.ok) return response.text();
  throw new Problem({
    status: response.status,
    code: "unknown",
    title: `The service answered ${path} with ${response.status}`,
  });
}

const unreadable = (path: string) =>
  new Problem({ status: 0, code: "unknown", title: `The service's answer to ${path} cannot be read` });
