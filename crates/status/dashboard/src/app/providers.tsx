import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Problem } from "../api/problem";
import { whenOperatorChanges } from "../api/session";
import { lazyComponent, useLoadedWhenIdle } from "../ui/lazy-component";
import { router } from "./router";
import { theme } from "./theme";

const NotificationList = lazyComponent(() => import("./notification-list"), "NotificationList");

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Live updates invalidate what has changed, so data may be used for longer than the default of 0 s.
      staleTime: 10_000,
      // Browsers know only whether there is any network, not whether the service can be reached.
      networkMode: "always",
      retry: (failures, error) => failures < 2 && (!(error instanceof Problem) || error.status >= 500),
    },
    mutations: { networkMode: "always" },
  },
});

// Another operator may have another role.
whenOperatorChanges(() => queryClient.clear());

export function Providers() {
  // What is shown before waits in the library's store.
  const hasNotifications = useLoadedWhenIdle(NotificationList);
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      {hasNotifications && <NotificationList />}
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
