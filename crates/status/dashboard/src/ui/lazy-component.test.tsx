import { screen } from "@testing-library/react";
import { Suspense } from "react";
import { expect, test, vi } from "vitest";
import { lazyComponent, preloadComponents, useLoadedWhenIdle } from "./lazy-component";
import { renderUi } from "./test-render";

const Syncs = () => <h1>Syncs</h1>;

test("a preloaded page opens without its file", async () => {
  const load = vi.fn(async () => ({ Syncs }));
  const Page = lazyComponent(load, "Syncs");
  preloadComponents();
  await Page.preload();
  load.mockRejectedValue(new TypeError("the server is down"));
  await renderUi(<Page />);
  expect(screen.getByRole("heading", { name: "Syncs" })).toBeDefined();
  expect(load).toHaveBeenCalledOnce();
});

test("a page whose file could not be loaded is loaded again", async () => {
  const load = vi.fn(async () => ({ Syncs })).mockRejectedValueOnce(new TypeError("the server is down"));
  const Page = lazyComponent(load, "Syncs");
  await expect(Page.preload()).rejects.toThrow("the server is down");
  await Page.preload();
  await renderUi(
    <Suspense>
      <Page />
    </Suspense>,
  );
  expect(screen.getByRole("heading", { name: "Syncs" })).toBeDefined();
});

const loadPart = vi.fn(async () => ({ Syncs }));
const Part = lazyComponent(loadPart, "Syncs");
const ShownWhenLoaded = () => (useLoadedWhenIdle(Part) ? <Part /> : <p>Not yet</p>);

test("a part that no first view needs is loaded once the browser is idle", async () => {
  await renderUi(<ShownWhenLoaded />);
  expect(screen.getByText("Not yet")).toBeDefined();
  await screen.findByRole("heading", { name: "Syncs" }, { timeout: 10_000 });
  expect(loadPart).toHaveBeenCalledOnce();
});
