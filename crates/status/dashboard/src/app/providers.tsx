import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Problem } from "../api/problem";
import { router } from "./router";
import { theme } from "./theme";

const cache = new QueryClient({
  defaultOptions: {
    queries: {
      // Live updates say what is stale; asking again by the clock is for the few figures that have none.
      staleTime: 10_000,
      retry: (failures, thrown) => failures < 2 && (!(thrown instanceof Problem) || thrown.status >= 500),
    },
  },
});

export function Providers() {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <Notifications position="bottom-right" />
      <QueryClientProvider client={cache}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
