import { QueryClient } from "@tanstack/react-query";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { keys } from "../api/queries/keys";
import { beginSession, endSession } from "../api/session";
import type { Overview, SyncSummary } from "../api/types";
import { preloadComponents } from "./lazy-component";
import { StartSync } from "./start-sync";
import { renderUi } from "./test-render";

const fetch = vi.fn<(request: Request) => Promise<Response>>();
// As in the app, where all files are loaded after the first page.
beforeAll(async () => {
  preloadComponents();
  await import("./start-dialog");
});
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  endSession();
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const running: SyncSummary = {
  syncId: "0193",
  cause: "manual",
  mode: "full",
  state: "running",
  phase: 1,
  requestedBy: "anna",
  startedAt: "2026-11-24T05:00:00Z",
  heartbeatAt: "2026-11-24T05:00:00Z",
  counts: [],
};

function show(role: "viewer" | "operator" | "admin", syncs: SyncSummary[] = []) {
  beginSession({ identity: { subject: "anna", role, expiresAt: "2099-01-01T00:00:00Z" } });
  const cache = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  const overview: Overview = { running: syncs, fleet: [], deadLetters: 0, unpublished: 0, health: [] };
  cache.setQueryData(keys.overview, overview);
  return renderUi(<StartSync />, { cache });
}

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

async function confirm() {
  await userEvent.click(screen.getByRole("button", { name: "Start full sync" }));
  await userEvent.type(await screen.findByLabelText("Reason"), "audit");
  await userEvent.click(screen.getAllByRole("button", { name: "Start full sync" }).at(-1) as HTMLElement);
}

test("an operator starts a full sync with a reason and is led to it", async () => {
  fetch.mockResolvedValue(json(202, { syncId: "0194" }));
  const { router } = await show("operator");
  await confirm();
  await waitFor(() => expect(router.state.location.pathname).toBe("/syncs/0194"));
  const triggered = fetch.mock.calls.map(([request]) => request).find(({ method }) => method === "POST");
  expect(triggered?.url).toMatch(/\/api\/sync\/trigger$/);
});

test("a conflict with a running full sync leads to the running one", async () => {
  fetch.mockResolvedValue(json(409, { title: "Conflict", code: "full_sync_running", runningSyncId: "0193" }));
  const { router } = await show("operator");
  await confirm();
  await waitFor(() => expect(router.state.location.pathname).toBe("/syncs/0193"));
});

test("a running full sync is linked instead", async () => {
  await show("operator", [running]);
  expect(screen.getByRole("link", { name: "View running sync" }).getAttribute("href")).toBe("/syncs/0193");
});

test("the menu starts what has changed, without a request for records that the mode does not have", async () => {
  fetch.mockImplementation((request) =>
    request.method === "POST" ? Promise.resolve(json(202, { syncId: "0195" })) : new Promise(() => {}),
  );
  const { router } = await show("operator");
  await userEvent.click(screen.getByRole("button", { name: "Start another kind of sync" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: /^Changes only/ }));
  await userEvent.click(await screen.findByRole("button", { name: "Start incremental sync" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/syncs/0195"));
  const triggered = fetch.mock.calls.map(([request]) => request).find(({ method }) => method === "POST");
  expect(await triggered?.json()).toMatchObject({ mode: "incremental", vesselImos: [], dryRun: false });
});

test("a menu that is asked for before its file is loaded opens at once", async () => {
  await show("operator");
  await userEvent.click(screen.getByRole("button", { name: "Start another kind of sync" }));
  expect(await screen.findByRole("menuitem", { name: /^Dry run/ })).toBeDefined();
});

test("a viewer is offered nothing", async () => {
  await show("viewer");
  expect(screen.queryByRole("button")).toBeNull();
});
