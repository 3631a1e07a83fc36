import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  retainSearchParams,
} from "@tanstack/react-router";
import { DEAD_LETTER_STATES, SEVERITIES, SYNC_STATES } from "../format/states";
import type { Zone } from "../format/times";
import { NotFound } from "./not-found";
import { Shell } from "./shell";

const asPage = (given: unknown): number | undefined => {
  const page = Number(given);
  return Number.isInteger(page) && page > 1 ? page : undefined;
};
const asText = (given: unknown): string | undefined =>
  typeof given === "string" && given ? given : undefined;
const asWord = <W extends string>(words: Record<W, unknown>, given: unknown): W | undefined =>
  typeof given === "string" && Object.hasOwn(words, given) ? (given as W) : undefined;

/** What is not said keeps its key out of the URL. */
function said<T extends Record<string, unknown>>(search: T): Partial<T> {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>) =>
    said({ zone: search.zone === "local" ? ("local" as Zone) : undefined }),
  search: { middlewares: [retainSearchParams(["zone"])] },
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("../pages/overview/overview"), "OverviewPage"),
});

const syncs = createRoute({
  getParentRoute: () => root,
  path: "/syncs",
  validateSearch: (search: Record<string, unknown>) =>
    said({ page: asPage(search.page), state: asWord(SYNC_STATES, search.state) }),
  component: lazyRouteComponent(() => import("../pages/syncs/syncs"), "SyncsPage"),
});

const sync = createRoute({
  getParentRoute: () => root,
  path: "/syncs/$syncId",
  validateSearch: (search: Record<string, unknown>) => said({ findings: asPage(search.findings) }),
  component: lazyRouteComponent(() => import("../pages/sync/sync"), "SyncPage"),
});

const records = createRoute({
  getParentRoute: () => root,
  path: "/records",
  validateSearch: (search: Record<string, unknown>) =>
    said({ page: asPage(search.page), severity: asWord(SEVERITIES, search.severity) }),
  component: lazyRouteComponent(() => import("../pages/data-quality/data-quality"), "RecordsPage"),
});

const deadLetters = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters",
  validateSearch: (search: Record<string, unknown>) =>
    said({
      page: asPage(search.page),
      state: asWord(DEAD_LETTER_STATES, search.state),
      open: asText(search.open),
    }),
  component: lazyRouteComponent(() => import("../pages/dead-letters/dead-letters"), "DeadLettersPage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("../pages/settings/settings"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, syncs, sync, records, deadLetters, settings]),
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
