import { screen, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Analytics } from "../../api/types";
import { preloadComponents } from "../../ui/lazy-component";
import { renderUi } from "../../ui/test-render";
import { SyncCharts } from "./sync-charts";

/** An observer that sees everything at once: the test's DOM has no layout. */
class SeesAll {
  private readonly callback: IntersectionObserverCallback;
  constructor(callback: IntersectionObserverCallback) {
    this.callback = callback;
  }
  observe() {
    this.callback([{ isIntersecting: true } as IntersectionObserverEntry], this as never);
  }
  disconnect() {}
}

const fetch = vi.fn<(request: Request) => Promise<Response>>();
// As in the app, where all files are loaded after the first page.
beforeAll(async () => {
  preloadComponents();
  await import("../../ui/charts");
});
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
  vi.stubGlobal("IntersectionObserver", SeesAll);
});
afterEach(() => {
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const records = {
  created: 12,
  updated: 0,
  unchanged: 9,
  conflict: 0,
  rejected: 0,
  skipped: 0,
  deactivated: 0,
};
const syncs = { completed: 1, completedWithErrors: 0, failed: 0, cancelled: 0 };
const figures: Analytics = {
  window: "hour",
  from: "2026-11-24T02:00:00Z",
  to: "2026-11-24T04:00:00Z",
  countedUntil: "2026-11-24T04:00:00Z",
  total: { records, syncs, findings: 0 },
  syncs: [],
  findings: [],
  failures: [],
  windows: [
    { startsAt: "2026-11-24T02:00:00Z", records, findings: 0 },
    { startsAt: "2026-11-24T03:00:00Z", findings: 0 },
  ],
};

test("the records of each hour are charted with a table behind, and a chart without figures says why", async () => {
  // The test's DOM has no layout, and a chart without a size warns.
  const box = vi
    .spyOn(Element.prototype, "getBoundingClientRect")
    .mockReturnValue(new DOMRect(0, 0, 400, 170));
  onTestFinished(() => box.mockRestore());
  fetch.mockImplementation(async () => Response.json(figures));
  await renderUi(<SyncCharts />);
  expect(await screen.findByRole("img", { name: "Records by outcome in each hour" })).toBeDefined();
  expect(screen.getByText("No approval was processed in this time.")).toBeDefined();
  await userEvent.click(screen.getByText("Show as table"));
  const table = await screen.findByRole("table", { name: "Records by outcome" });
  expect(within(table).getAllByRole("row")).toHaveLength(3);
});

test("figures that are not counted yet are not shown as none", async () => {
  fetch.mockImplementation(async () => Response.json({ ...figures, countedUntil: null }));
  await renderUi(<SyncCharts />);
  expect(await screen.findAllByText(/^No figures yet/)).toHaveLength(2);
});

test("figures that cannot be loaded say so, and can be asked for again", async () => {
  fetch.mockImplementation(async () => Response.json({ title: "Forbidden", status: 403 }, { status: 403 }));
  await renderUi(<SyncCharts />);
  expect(
    await screen.findAllByText("The figures cannot be loaded: Forbidden.", {}, { timeout: 20_000 }),
  ).toHaveLength(2);
  fetch.mockImplementation(async () => Response.json({ ...figures, countedUntil: null }));
  await userEvent.click(screen.getAllByRole("button", { name: "Retry" })[0] as HTMLElement);
  expect(await screen.findAllByText(/^No figures yet/)).toHaveLength(2);
});
