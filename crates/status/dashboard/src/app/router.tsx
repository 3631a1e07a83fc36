import { createRootRoute, createRoute, createRouter, retainSearchParams } from "@tanstack/react-router";
import { Suspense } from "react";
import { useFleetPart } from "../api/session";
import {
  AUDIT_ACTIONS,
  CAUSE_OPTIONS,
  CHANGE_OUTCOMES,
  CONFIGURATION_PARTS,
  CONFLICT_KIND_OPTIONS,
  CONFLICT_STATES,
  DEAD_LETTER_STATES,
  MODE_OPTIONS,
  RECORD_STATUSES,
  RECORD_TYPE_ORDER,
  REFUSAL_OPTIONS,
  SEVERITIES,
  SYNC_STATES,
  WEBHOOK_STATES,
} from "../format/states";
import type { Zone } from "../format/times";
import { lazyComponent } from "../ui/lazy-component";
import { NotFound } from "./not-found";
import { PageError } from "./page-error";
import { Shell } from "./shell";

const pageNumber = (value: unknown): number | undefined => {
  const page = Number(value);
  return Number.isInteger(page) && page > 1 ? page : undefined;
};
/** The same, for what is shown only where the address names its page. */
const firstOrLaterPage = (value: unknown): number | undefined =>
  Number(value) === 1 ? 1 : pageNumber(value);
/** The router reads a text of digits in the URL as a number. */
const nonEmptyText = (value: unknown): string | undefined =>
  (typeof value === "string" || typeof value === "number") && value !== "" ? String(value) : undefined;
const asOneOf = <W extends string>(words: Record<W, unknown>, value: unknown): W | undefined =>
  typeof value === "string" && Object.hasOwn(words, value) ? (value as W) : undefined;

const oneOf = <W extends string>(words: readonly W[], value: unknown): W | undefined =>
  words.find((word) => word === value);
const time = (value: unknown): string | undefined =>
  typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;

/** Without undefined values, whose keys would otherwise appear in the URL. */
function withoutUndefined<T extends Record<string, unknown>>(search: T): Partial<T> {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/**
 * The parameters of a route: those that `parse` returns, and no others. The router alone would also keep what `parse` leaves out,
 * and a list would send it to the API, which refuses unknown parameters and words.
 */
const parameters = <T extends Record<string, unknown>>(parse: (search: Record<string, unknown>) => T) => {
  const validateSearch = (search: Record<string, unknown>) => withoutUndefined(parse(search));
  const keepOnlyThese = <Search,>(context: { search: Search; next: (search: Search) => Search }): Search => {
    const result = context.next(context.search) as Record<string, unknown>;
    return { ...("zone" in result ? { zone: result.zone } : {}), ...validateSearch(result) } as Search;
  };
  return { validateSearch, search: { middlewares: [keepOnlyThese] } };
};

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  validateSearch: (search: Record<string, unknown>) =>
    withoutUndefined({ zone: search.zone === "local" ? ("local" as Zone) : undefined }),
  search: { middlewares: [retainSearchParams(["zone"])] },
});

const OverviewPage = lazyComponent(() => import("../pages/overview/overview"), "OverviewPage");
const FleetPartPage = lazyComponent(() => import("../pages/fleet-part/fleet-part"), "FleetPartPage");

function FirstPage() {
  if (!useFleetPart()) return <OverviewPage />;
  return (
    <Suspense>
      <FleetPartPage />
    </Suspense>
  );
}

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  // Nearly all tokens are for the whole fleet.
  component: Object.assign(FirstPage, { preload: OverviewPage.preload }),
});

const syncs = createRoute({
  getParentRoute: () => root,
  path: "/syncs",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    state: asOneOf(SYNC_STATES, search.state),
    cause: oneOf(CAUSE_OPTIONS, search.cause),
    mode: oneOf(MODE_OPTIONS, search.mode),
    dryRun: typeof search.dryRun === "boolean" ? search.dryRun : undefined,
    from: time(search.from),
    to: time(search.to),
  })),
  component: lazyComponent(() => import("../pages/syncs/syncs"), "SyncsPage"),
});

const sync = createRoute({
  getParentRoute: () => root,
  path: "/syncs/$syncId",
  ...parameters((search) => ({
    findings: pageNumber(search.findings),
    changes: pageNumber(search.changes),
    type: oneOf(RECORD_TYPE_ORDER, search.type),
    outcome: asOneOf(CHANGE_OUTCOMES, search.outcome),
    severity: asOneOf(SEVERITIES, search.severity),
    undo: firstOrLaterPage(search.undo),
  })),
  component: lazyComponent(() => import("../pages/sync/sync"), "SyncPage"),
});

const search = createRoute({
  getParentRoute: () => root,
  path: "/search",
  ...parameters((search) => ({ q: nonEmptyText(search.q) })),
  component: lazyComponent(() => import("../pages/search/search"), "SearchPage"),
});

const records = createRoute({
  getParentRoute: () => root,
  path: "/records",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    type: oneOf(RECORD_TYPE_ORDER, search.type),
    status: asOneOf(RECORD_STATUSES, search.status),
    q: nonEmptyText(search.q),
    vessel: nonEmptyText(search.vessel),
    company: nonEmptyText(search.company),
  })),
  component: lazyComponent(() => import("../pages/records/records"), "RecordsPage"),
});

const record = createRoute({
  getParentRoute: () => root,
  path: "/records/$recordType/$sourceId",
  ...parameters((search) => ({
    equipment: pageNumber(search.equipment),
    parts: pageNumber(search.parts),
    jobs: pageNumber(search.jobs),
    users: pageNumber(search.users),
    vessels: pageNumber(search.vessels),
    findings: pageNumber(search.findings),
    timeline: pageNumber(search.timeline),
  })),
  component: lazyComponent(() => import("../pages/record/record"), "RecordPage"),
});

const dataQuality = createRoute({
  getParentRoute: () => root,
  path: "/data-quality",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    severity: asOneOf(SEVERITIES, search.severity),
  })),
  component: lazyComponent(() => import("../pages/data-quality/data-quality"), "DataQualityPage"),
});

const deadLetters = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    state: asOneOf(DEAD_LETTER_STATES, search.state),
    recordType: oneOf(RECORD_TYPE_ORDER, search.recordType),
    sourceId: nonEmptyText(search.sourceId),
    open: nonEmptyText(search.open),
    job: nonEmptyText(search.job),
  })),
  component: lazyComponent(() => import("../pages/dead-letters/dead-letters"), "DeadLettersPage"),
});

const conflicts = createRoute({
  getParentRoute: () => root,
  path: "/conflicts",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    state: asOneOf(CONFLICT_STATES, search.state),
    recordType: oneOf(RECORD_TYPE_ORDER, search.recordType),
    sourceId: nonEmptyText(search.sourceId),
    syncId: nonEmptyText(search.syncId),
    kind: CONFLICT_KIND_OPTIONS.find(({ value }) => value === search.kind)?.value,
    open: nonEmptyText(search.open),
  })),
  component: lazyComponent(() => import("../pages/conflicts/conflicts"), "ConflictsPage"),
});

const webhooks = createRoute({
  getParentRoute: () => root,
  path: "/webhooks",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    view: search.view === "refused" ? ("refused" as const) : undefined,
    state: asOneOf(WEBHOOK_STATES, search.state),
    recordType: oneOf(RECORD_TYPE_ORDER, search.recordType),
    reason: oneOf(REFUSAL_OPTIONS, search.reason),
    sourceId: nonEmptyText(search.sourceId),
    webhookId: nonEmptyText(search.webhookId),
    from: time(search.from),
    to: time(search.to),
    open: nonEmptyText(search.open),
  })),
  component: lazyComponent(() => import("../pages/webhooks/webhooks"), "WebhooksPage"),
});

const users = createRoute({
  getParentRoute: () => root,
  path: "/users",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    search: nonEmptyText(search.search),
    open: nonEmptyText(search.open),
  })),
  component: lazyComponent(() => import("../pages/users/users"), "UsersPage"),
});

const roleMapping = createRoute({
  getParentRoute: () => root,
  path: "/users/role-mapping",
  component: lazyComponent(() => import("../pages/role-mapping/role-mapping"), "RoleMappingPage"),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  ...parameters((search) => ({
    page: pageNumber(search.page),
    actor: nonEmptyText(search.actor),
    action: oneOf(AUDIT_ACTIONS, search.action),
    subject: nonEmptyText(search.subject),
    traceId: nonEmptyText(search.traceId),
    from: time(search.from),
    to: time(search.to),
  })),
  component: lazyComponent(() => import("../pages/audit/audit"), "AuditPage"),
});

const schedules = createRoute({
  getParentRoute: () => root,
  path: "/schedules",
  ...parameters((search) => ({
    open: nonEmptyText(search.open),
    form: oneOf(["new", "edit"] as const, search.form),
  })),
  component: lazyComponent(() => import("../pages/schedules/schedules"), "SchedulesPage"),
});

const doctor = createRoute({
  getParentRoute: () => root,
  path: "/doctor",
  ...parameters((search) => ({
    recordType: oneOf(RECORD_TYPE_ORDER, search.recordType),
    sourceId: nonEmptyText(search.sourceId),
  })),
  component: lazyComponent(() => import("../pages/doctor/doctor"), "DoctorPage"),
});

const analytics = createRoute({
  getParentRoute: () => root,
  path: "/analytics",
  ...parameters((search) => ({
    window: search.window === "day" ? ("day" as const) : undefined,
    from: time(search.from),
    to: time(search.to),
    recordType: oneOf(RECORD_TYPE_ORDER, search.recordType),
    vessel: nonEmptyText(search.vessel),
  })),
  component: lazyComponent(() => import("../pages/analytics/analytics"), "AnalyticsPage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  ...parameters((search) => ({
    history: pageNumber(search.history),
    part: asOneOf(CONFIGURATION_PARTS, search.part),
  })),
  component: lazyComponent(() => import("../pages/settings/settings"), "SettingsPage"),
});

const about = createRoute({
  getParentRoute: () => root,
  path: "/about",
  component: lazyComponent(() => import("../pages/about/about"), "AboutPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    syncs,
    sync,
    search,
    records,
    record,
    dataQuality,
    conflicts,
    deadLetters,
    webhooks,
    users,
    roleMapping,
    audit,
    schedules,
    doctor,
    analytics,
    settings,
    about,
  ]),
  defaultPreload: "intent",
  defaultErrorComponent: PageError,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
