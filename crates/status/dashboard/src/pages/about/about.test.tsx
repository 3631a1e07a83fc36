import { screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { OutdatedNote } from "../../app/outdated-note";
import { renderUi } from "../../ui/test-render";
import { AboutPage, clockText, versionStatus } from "./about";

const fetch = vi.fn<(path: string) => Promise<Response>>();
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  vi.unstubAllGlobals();
  fetch.mockReset();
});

/** The page was loaded from this build. */
function openedFrom(build: string) {
  const script = document.createElement("script");
  script.type = "module";
  // Not `src`: the test's DOM would load it.
  script.getAttribute = (name) => (name === "src" ? `/assets/index-${build}.js` : null);
  document.head.append(script);
  onTestFinished(() => script.remove());
}
const serve = (build: string) =>
  fetch.mockImplementation(async (path) =>
    path === "/version"
      ? Response.json({ service: "status", version: "1.4.0" })
      : new Response(`<script type="module" crossorigin src="/assets/index-${build}.js"></script>`),
  );

test("a page of the build that the service has is up to date", async () => {
  openedFrom("a1-B_2");
  serve("a1-B_2");
  await renderUi(<AboutPage />);
  expect(await screen.findByText("status 1.4.0")).toBeDefined();
  expect(await screen.findByText("This page is up to date")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Reload the page" })).toBeNull();
});

test("a page of an earlier build says so on every page, and offers to reload", async () => {
  openedFrom("old");
  serve("new");
  await renderUi(
    <>
      <OutdatedNote />
      <AboutPage />
    </>,
  );
  expect(await screen.findByRole("button", { name: "Reload the page" })).toBeDefined();
  expect(screen.getByRole("status").textContent).toContain("This page is older than the service");
});

test("an answer that is no version is not shown as one", async () => {
  fetch.mockImplementation(async () => Response.json({ version: 7 }));
  await renderUi(
    <>
      <OutdatedNote />
      <AboutPage />
    </>,
  );
  expect(await screen.findByText(/^unknown/, {}, { timeout: 20_000 })).toBeDefined();
  expect(screen.getByText("It is not known whether this page is up to date")).toBeDefined();
  expect(screen.queryByRole("status")).toBeNull();
});

test("the status of what is not known is neutral", () => {
  expect(versionStatus(undefined).tone).toBe("neutral");
  expect([clockText(0), clockText(7_200_000), clockText(-3000)]).toEqual([
    "agrees with the service",
    "2 h behind the service, whose time is shown",
    "3.0 s ahead of the service, whose time is shown",
  ]);
});
