import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { act, cleanup, render } from "@testing-library/react";
import { createContext, type ReactNode, useContext } from "react";
import { onTestFinished } from "vitest";

const Ui = createContext<ReactNode>(null);
const ShownUi = () => useContext(Ui);

/** Renders a component with the theme, a query cache and a router around it, as the app does. */
export async function renderUi(ui: ReactNode, options: { url?: string; cache?: QueryClient } = {}) {
  const cache = options.cache ?? new QueryClient();
  const router = createRouter({
    routeTree: createRootRoute({ component: ShownUi, notFoundComponent: ShownUi }),
    history: createMemoryHistory({ initialEntries: [options.url ?? "/"] }),
  });
  await router.load();
  const app = (shown: ReactNode) => (
    <Ui.Provider value={shown}>
      <MantineProvider env="test" withCssVariables={false} withGlobalClasses={false}>
        <QueryClientProvider client={cache}>
          {/* The registered router type has the pages of the app; this one has none. */}
          <RouterProvider router={router as never} />
        </QueryClientProvider>
      </MantineProvider>
    </Ui.Provider>
  );
  onTestFinished(cleanup);
  const rendered = render(app(ui));
  await act(async () => {});
  return { ...rendered, router, rerender: (next: ReactNode) => rendered.rerender(app(next)) };
}
