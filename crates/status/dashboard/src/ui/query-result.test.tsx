import { act, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import { QueryResult } from "./query-result";
import { renderUi } from "./test-render";

const query = (part: { data?: string; error?: Error }) =>
  ({
    data: part.data,
    error: part.error ?? null,
    isError: part.error !== undefined,
    refetch: vi.fn(),
  }) as never;
const show = (part: { data?: string; error?: Error }) =>
  renderUi(<QueryResult<string> query={query(part)}>{(data) => <p>{data}</p>}</QueryResult>);
const unavailable = new Problem({ status: 503, title: "Service unavailable", code: "unavailable" });

test("loading shows a skeleton after a short delay", async () => {
  vi.useFakeTimers();
  await show({});
  const skeleton = screen.getByRole("status", { name: "Loading" });
  expect(skeleton.dataset.visible).toBeUndefined();
  act(() => vi.advanceTimersByTime(200));
  expect(skeleton.dataset.visible).toBe("true");
  vi.useRealTimers();
});

test("data is rendered", async () => {
  await show({ data: "41 vessels" });
  expect(screen.getByText("41 vessels")).toBeDefined();
});

test("an error replaces missing data and stands beside older data", async () => {
  const { unmount } = await show({ error: unavailable });
  expect(screen.getByRole("alert").textContent).toContain("Service unavailable");
  unmount();
  await show({ data: "41 vessels", error: unavailable });
  expect(screen.getByRole("alert")).toBeDefined();
  expect(screen.getByText("41 vessels")).toBeDefined();
});

test("a 404 is an empty state without a retry", async () => {
  await show({ error: new Problem({ status: 404, title: "No such sync", code: "not_found" }) });
  expect(screen.getByText("No such sync")).toBeDefined();
  expect(screen.queryByRole("button")).toBeNull();
});
