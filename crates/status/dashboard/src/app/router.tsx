import { createRootRoute, createRoute, createRouter, retainSearchParams } from "@tanstack/react-router";
import { CONFLICT_STATES, DEAD_LETTER_STATES, SEVERITIES, SYNC_STATES } from "../format/states";
import type { Zone } from "../format/times";
import { lazyPage } from "./lazy-page";
import { NotFound } from "./not-found";
import { PageError } from "./page-error";
import { Shell } from "./shell";

const pageNumber = (value: unknown): number | undefined => {
  const page = Number(value);
  return Number.isInteger(page) && page > 1 ? page : undefined;
};
const nonEmptyText = (value: unknown): string | undefined =>
  typeof value === "string" && value ? value : undefined;
const asOneOf = <W extends string>(words: Record<W, unknown>, value: unknown): W | undefined =>
  typeof value === "string" && Object.hasOwn(words, value) ? (value as W) : undefined;

/** Without undefined values, whose keys would otherwise appear in the URL. */
function withoutUndefined<T extends Record<string, unknown>>(search: T): Partial<T> {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>) =>
    withoutUndefined({ zone: search.zone === "local" ? ("local" as Zone) : undefined }),
  search: { middlewares: [retainSearchParams(["zone"])] },
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyPage(() => import("../pages/overview/overview"), "OverviewPage"),
});

const syncs = createRoute({
  getParentRoute: () => root,
  path: "/syncs",
  validateSearch: (search: Record<string, unknown>) =>
    withoutUndefined({ page: pageNumber(search.page), state: asOneOf(SYNC_STATES, search.state) }),
  component: lazyPage(() => import("../pages/syncs/syncs"), "SyncsPage"),
});

const sync = createRoute({
  getParentRoute: () => root,
  path: "/syncs/$syncId",
  validateSearch: (search: Record<string, unknown>) =>
    withoutUndefined({ findings: pageNumber(search.findings) }),
  component: lazyPage(() => import("../pages/sync/sync"), "SyncPage"),
});

const dataQuality = createRoute({
  getParentRoute: () => root,
  path: "/data-quality",
  validateSearch: (search: Record<string, unknown>) =>
    withoutUndefined({ page: pageNumber(search.page), severity: asOneOf(SEVERITIES, search.severity) }),
  component: lazyPage(() => import("../pages/data-quality/data-quality"), "DataQualityPage"),
});

const deadLetters = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters",
  validateSearch: (search: Record<string, unknown>) =>
    withoutUndefined({
      page: pageNumber(search.page),
      state: asOneOf(DEAD_LETTER_STATES, search.state),
      open: nonEmptyText(search.open),
      job: nonEmptyText(search.job),
    }),
  component: lazyPage(() => import("../pages/dead-letters/dead-letters"), "DeadLettersPage"),
});

const conflicts = createRoute({
  getParentRoute: () => root,
  path: "/conflicts",
  validateSearch: (search: Record<string, unknown>) =>
    withoutUndefined({
      page: pageNumber(search.page),
      state: asOneOf(CONFLICT_STATES, search.state),
      open: nonEmptyText(search.open),
    }),
  component: lazyPage(() => import("../pages/conflicts/conflicts"), "ConflictsPage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyPage(() => import("../pages/settings/settings"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, syncs, sync, dataQuality, conflicts, deadLetters, settings]),
  defaultPreload: "intent",
  defaultErrorComponent: PageError,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
