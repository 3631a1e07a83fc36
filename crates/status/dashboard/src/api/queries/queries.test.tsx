import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useExportAudit } from "./audit";
import { useReplayDeadLetters } from "./dead-letters";
import { keys } from "./keys";
import { getWebhookBody } from "./webhooks";

const fetch = vi.fn<(request: Request) => Promise<Response>>();
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const render = <T,>(hook: () => T, cache = new QueryClient()) =>
  renderHook(hook, {
    wrapper: ({ children }) => <QueryClientProvider client={cache}>{children}</QueryClientProvider>,
  });

test("the job of a replay is known although the button that started it is gone", async () => {
  fetch.mockResolvedValue(
    new Response(JSON.stringify({ jobId: "0193", replaying: 1 }), {
      status: 202,
      headers: { "content-type": "application/json" },
    }),
  );
  const onSuccess = vi.fn();
  const { result, unmount } = render(() => useReplayDeadLetters(onSuccess));
  act(() => result.current.mutate("0192"));
  unmount();
  await waitFor(() => expect(onSuccess.mock.calls[0]?.[0]).toEqual({ jobId: "0193", replaying: 1 }));
});

test.each([
  ['{"id":1}\n{"complete":true}\n', "success"],
  ['{"id":1}\n{"id":2', "error"],
] as const)("an export %j is a %s", async (body, status) => {
  fetch.mockResolvedValue(new Response(body, { headers: { "content-type": "application/x-ndjson" } }));
  const { result } = render(useExportAudit);
  act(() => result.current.mutate({}));
  await waitFor(() => expect(result.current.status).toBe(status));
});

test("an export is saved as the server sent it, to the byte", async () => {
  const body = '{"serial":12345678901234567890123,"name":"\\u202e"}\n{"complete":true}\n';
  fetch.mockResolvedValue(new Response(body, { headers: { "content-type": "application/x-ndjson" } }));
  const { result } = render(useExportAudit);
  act(() => result.current.mutate({}));
  await waitFor(() => expect(result.current.data).toBeDefined());
  expect(await result.current.data?.text()).toBe(body);
});

test("an update does not read the body of a webhook again, which is an entry of the audit log", async () => {
  const headers = { "content-type": "application/octet-stream" };
  fetch.mockResolvedValue(new Response("{}", { headers }));
  const cache = new QueryClient();
  const { result } = render(() => useQuery(getWebhookBody("0193")), cache);
  await waitFor(() => expect(result.current.data).toBeDefined());
  await act(() => cache.invalidateQueries({ queryKey: keys.webhooks }));
  await act(() => cache.invalidateQueries());
  expect(fetch).toHaveBeenCalledOnce();
});
