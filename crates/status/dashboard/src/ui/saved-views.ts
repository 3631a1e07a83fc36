// The saved views of this browser, for all its tabs.
import { useSyncExternalStore } from "react";
import { parseViews, type SavedView, VIEWS_LIMIT } from "../format/saved-views";

const STORAGE_KEY = "sms-sync.saved-views";

let cached: { text: string | null; views: SavedView[] } = { text: null, views: [] };
const listeners = new Set<() => void>();

function readViews(): SavedView[] {
  let text: string | null = null;
  try {
    text = localStorage.getItem(STORAGE_KEY);
  } catch {
    // Storage is blocked: there are no views.
  }
  if (text !== cached.text) cached = { text, views: parseViews(text) };
  return cached.views;
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  // Another tab has changed them.
  addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", listener);
  };
}

export const useSavedViews = (): SavedView[] => useSyncExternalStore(subscribe, readViews);

/** Why views could not be changed, in words for the operator. */
export type ViewsFault = string;

/** Changes the views as they are now, which another tab may have changed. Returns why that was not possible. */
function changeViews(change: (views: SavedView[]) => SavedView[]): ViewsFault | undefined {
  const views = change(readViews());
  if (views.length > VIEWS_LIMIT) return `This browser keeps at most ${VIEWS_LIMIT} views. Delete one first.`;
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(views));
  } catch {
    return "This browser keeps no data of this site. Allow it, or bookmark the page.";
  }
  for (const notify of listeners) notify();
  return undefined;
}

const isSame = (one: SavedView, other: SavedView): boolean =>
  one.page === other.page && one.name === other.name;

export const addView = (view: SavedView) => changeViews((views) => [...views, view]);
export const renameView = (old: SavedView, name: string) =>
  changeViews((views) => views.map((view) => (isSame(view, old) ? { ...view, name } : view)));
export const deleteView = (gone: SavedView) =>
  changeViews((views) => views.filter((view) => !isSame(view, gone)));
