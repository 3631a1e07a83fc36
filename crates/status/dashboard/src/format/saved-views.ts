// Saved views: the filters of a list under a name, as this browser keeps them. What is read may be malformed, and is checked.

/** Lists whose filters are in the URL, by the path of their page. */
export const LIST_PAGES = {
  "/syncs": "Syncs",
  "/records": "Records",
  "/webhooks": "Webhooks",
  "/data-quality": "Data quality",
  "/conflicts": "Conflicts",
  "/dead-letters": "Dead letters",
  "/users": "Users",
  "/analytics": "Analytics",
  "/audit": "Audit log",
} as const;
export type ListPage = keyof typeof LIST_PAGES;

export type ViewFilter = Record<string, string | number | boolean>;

export interface SavedView {
  name: string;
  page: ListPage;
  /** Parameters of the URL. The page itself checks their values, as of any URL. */
  filter: ViewFilter;
}

export const VIEWS_LIMIT = 50;
/** In UTF-16 units, as a field counts them. */
export const VIEW_NAME_LIMIT = 60;
const FILTER_FIELDS_LIMIT = 20;
const FILTER_VALUE_LIMIT = 500;
/** Longest text that is read, in UTF-16 units. */
const STORED_LIMIT = 500_000;

/** Parameters of a URL that narrow no list: where in the list, what is open, in which zone. */
const NO_FILTERS = new Set(["page", "open", "job", "zone"]);

export const isListPage = (path: string): path is ListPage => Object.hasOwn(LIST_PAGES, path);

/** The part of a page's parameters that a view keeps. */
export function viewFilter(search: object): ViewFilter {
  const fields = Object.entries(search).filter(
    ([name, value]) => !NO_FILTERS.has(name) && isFilterValue(value),
  );
  return Object.fromEntries(fields.slice(0, FILTER_FIELDS_LIMIT)) as ViewFilter;
}

const isFilterValue = (value: unknown): boolean =>
  typeof value === "string"
    ? value.length <= FILTER_VALUE_LIMIT
    : typeof value === "boolean" || Number.isFinite(value);

export const isFiltered = (filter: ViewFilter): boolean => Object.keys(filter).length > 0;

/** Whether two views show the same, whatever their names. */
export const sameFilter = (one: ViewFilter, other: ViewFilter): boolean => keyOf(one) === keyOf(other);
const keyOf = (filter: ViewFilter): string =>
  JSON.stringify(Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1)));

/** `state: failed, mode: full` */
export const filterText = (filter: ViewFilter): string =>
  Object.entries(filter)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");

/** The views in a stored text. Whatever is no view is left out. */
export function parseViews(text: string | null): SavedView[] {
  if (text === null || text.length > STORED_LIMIT) return [];
  try {
    const stored: unknown = JSON.parse(text);
    return Array.isArray(stored) ? stored.flatMap(viewOf).slice(0, VIEWS_LIMIT) : [];
  } catch {
    return [];
  }
}

function viewOf(stored: unknown): SavedView[] {
  if (typeof stored !== "object" || stored === null) return [];
  const { name, page, filter } = stored as Partial<Record<keyof SavedView, unknown>>;
  if (typeof name !== "string" || typeof page !== "string" || !isListPage(page)) return [];
  if (typeof filter !== "object" || filter === null) return [];
  const view = { name: name.trim().slice(0, VIEW_NAME_LIMIT), page, filter: viewFilter(filter) };
  return view.name && isFiltered(view.filter) ? [view] : [];
}

/** Why a name cannot be given to a view of the page; undefined for one that can. `except`: the view that is renamed. */
export function nameFault(
  name: string,
  page: ListPage,
  views: SavedView[],
  except?: SavedView,
): string | undefined {
  const given = name.trim();
  if (given === "") return "Enter a name.";
  if (given.length > VIEW_NAME_LIMIT) return `A name has at most ${VIEW_NAME_LIMIT} characters.`;
  return views.some((view) => view !== except && view.page === page && view.name === given)
    ? `${LIST_PAGES[page]} has a view of this name. Choose another.`
    : undefined;
}
