import { expect, test } from "vitest";
import { nameFault, parseViews, type SavedView, sameFilter, VIEWS_LIMIT, viewFilter } from "./saved-views";

const failed: SavedView = { name: "Failed", page: "/syncs", filter: { state: "failed" } };

test("a view keeps the filters of a page, and not where in the list it was or what was open", () => {
  expect(
    viewFilter({ state: "failed", dryRun: false, page: 3, open: "0193", job: "0194", zone: "local" }),
  ).toEqual({ state: "failed", dryRun: false });
});

test.each([
  ["nothing", null],
  ["no JSON", "{"],
  ["no list", '{"name":"Failed"}'],
  ["a text that is too long", JSON.stringify(["x".repeat(500_000)])],
])("%s has no views", (_, text) => {
  expect(parseViews(text)).toEqual([]);
});

test.each([
  ["null", null],
  ["a name that is no text", { ...failed, name: 7 }],
  ["an empty name", { ...failed, name: "  " }],
  ["a page of another site", { ...failed, page: "//example.org/" }],
  ["a page that is no list", { ...failed, page: "/settings" }],
  ["a name of an object's own members as page", { ...failed, page: "constructor" }],
  ["no filter", { ...failed, filter: {} }],
  ["a filter of objects", { ...failed, filter: { state: { toString: 1 } } }],
  ["a value that is too long", { ...failed, filter: { q: "x".repeat(501) } }],
])("%s is left out, and the views beside it stay", (_, malformed) => {
  expect(parseViews(JSON.stringify([malformed, failed]))).toEqual([failed]);
});

test("so many views are read and no more, with names of a limited length", () => {
  const many = Array.from({ length: VIEWS_LIMIT + 5 }, () => ({ ...failed, name: "n".repeat(300) }));
  const views = parseViews(JSON.stringify(many));
  expect(views).toHaveLength(VIEWS_LIMIT);
  expect(views[0]?.name).toHaveLength(60);
});

test("the order of filters makes no other view", () => {
  expect(sameFilter({ state: "failed", mode: "full" }, { mode: "full", state: "failed" })).toBe(true);
  expect(sameFilter({ state: "failed" }, { state: "failed", mode: "full" })).toBe(false);
});

test("a page has each name once, and a view keeps its own", () => {
  expect(nameFault(" Failed ", "/syncs", [failed])).toContain("Syncs has a view of this name");
  expect(nameFault("Failed", "/webhooks", [failed])).toBeUndefined();
  expect(nameFault("Failed", "/syncs", [failed], failed)).toBeUndefined();
  expect(nameFault(" ", "/syncs", [])).toBe("Enter a name.");
});
