import { type ComponentType, createElement, use } from "react";

/** Pages that `preloadPages` loads. */
const loaders: (() => Promise<void>)[] = [];

/**
 * The component of a route, loaded when it is first needed. Unlike the router's own function, it does not reload the
 * document when its file cannot be loaded: that would replace the dashboard by the browser's error page.
 */
export function lazyPage<Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  let page: ComponentType | undefined;
  let loading: Promise<void> | undefined;
  const preload = () => {
    loading ??= load().then(
      (module) => {
        page = module[name];
      },
      (thrown) => {
        loading = undefined;
        throw thrown;
      },
    );
    return loading;
  };
  loaders.push(preload);
  // biome-ignore lint/correctness/noComponentHookFactories: called once for each route, when its module is loaded
  const LazyPage = () => {
    if (!page) use(preload());
    return page ? createElement(page) : null;
  };
  return Object.assign(LazyPage, { preload });
}

/** Loads the files of all pages, so that every page opens while the server is not reachable. */
export function preloadPages(): void {
  for (const load of loaders) load().catch(() => {}); // It is tried again when the page is opened.
}
