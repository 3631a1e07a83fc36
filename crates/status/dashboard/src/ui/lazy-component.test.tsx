import { screen } from "@testing-library/react";
import { Suspense } from "react";
import { expect, test, vi } from "vitest";
import { lazyComponent, preloadComponents } from "./lazy-component";
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
