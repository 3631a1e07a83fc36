import { type ComponentType, createElement, type FunctionComponent, use, useEffect, useState } from "react";

/** Components that `preloadComponents` loads. */
const loaders: (() => Promise<void>)[] = [];

/**
 * The component of a route or another part of the dashboard, loaded when it is first needed. Unlike the router's own function, it does not reload the
 * document when its file cannot be loaded: that would replace the dashboard by the browser's error page.
 */
export function lazyComponent<Module, Name extends keyof Module>(load: () => Promise<Module>, name: Name) {
  type Props = Module[Name] extends ComponentType<infer P extends object> ? P : never;
  let page: FunctionComponent<Props> | undefined;
  let loading: Promise<void> | undefined;
  const preload = () => {
    loading ??= load().then(
      (module) => {
        page = module[name] as FunctionComponent<Props>;
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
  const LazyComponent = (props: Props) => {
    if (!page) use(preload());
    return page ? createElement<Props>(page, props) : null;
  };
  return Object.assign(LazyComponent, { preload });
}

/** Loads the files of all components, so that every page opens while the server is not reachable. */
export function preloadComponents(): void {
  for (const load of loaders) load().catch(() => {}); // It is tried again when the page is opened.
}

/** Longest wait for an idle moment, in ms. Safari, which reports none, waits this long. */
const IDLE_TIMEOUT = 1000;

/** Calls back when the browser has nothing else to do. Returns how to take the call back. */
export function whenIdle(callback: () => void): () => void {
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(callback, IDLE_TIMEOUT);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(callback, { timeout: IDLE_TIMEOUT });
  return () => cancelIdleCallback(handle);
}

/** Whether the component's file is loaded, which an idle moment starts. For parts that no first view needs. */
export function useLoadedWhenIdle(component: { preload: () => Promise<void> }): boolean {
  const [isLoaded, setLoaded] = useState(false);
  useEffect(
    () =>
      whenIdle(() => {
        component.preload().then(
          () => setLoaded(true),
          () => {}, // `preloadComponents` or a use tries it again.
        );
      }),
    [component],
  );
  return isLoaded;
}
