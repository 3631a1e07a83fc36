import { expect, test } from "vitest";
import { router } from "./router";

const searchOf = (search: Record<string, unknown>) =>
  router.buildLocation({ to: "/syncs", search: search as never }).search;

test("a parameter or word that a page does not know reaches neither its address nor the API", () => {
  expect(searchOf({ state: "no such state", from: "never", limit: 1e9, mode: "full" })).toEqual({
    mode: "full",
  });
});

test("the zone of the page's times stays with the filters", () => {
  expect(searchOf({ mode: "full", zone: "local" })).toEqual({ mode: "full", zone: "local" });
});
