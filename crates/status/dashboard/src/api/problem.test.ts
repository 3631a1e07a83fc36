import { expect, test } from "vitest";
import { asProblem, faultsByField, Problem, toProblem } from "./problem";

const answer = (status: number) => new Response(null, { status });

test("a problem keeps its trace, its faults and the members of its own kind", () => {
  const problem = toProblem(answer(409), {
    title: "Conflict",
    detail: "The full sync a has not ended yet.",
    code: "full_sync_running",
    traceId: "4bf92f35",
    runningSyncId: "a",
  });
  expect(problem).toMatchObject({ status: 409, code: "full_sync_running", traceId: "4bf92f35", errors: [] });
  expect(problem.members.runningSyncId).toBe("a");
});

test("an answer that is no problem, as a proxy's page, becomes one by its status", () => {
  const problem = toProblem(answer(502), "<html>Bad gateway</html>");
  expect(problem).toMatchObject({ status: 502, title: "The service answered 502", code: "unknown" });
});

test("faults are found by the name of their field, an element of a list by its place", () => {
  const problem = new Problem({
    status: 422,
    title: "Unprocessable",
    code: "invalid",
    errors: [
      { pointer: "#/pageSize", detail: "is from 1 to 1000" },
      { pointer: "#/retryDelaysMs/1", detail: "is from 1 ms to a day" },
      { pointer: "#/pageSize", detail: "is whole" },
    ],
  });
  expect(faultsByField(problem)).toEqual({
    pageSize: "is from 1 to 1000 is whole",
    "retryDelaysMs.1": "is from 1 ms to a day",
  });
  expect(faultsByField(null)).toEqual({});
});

test("whatever is thrown can be shown", () => {
  expect(asProblem(new TypeError("x is undefined"))).toMatchObject({
    title: "The page has a fault",
    detail: "x is undefined",
  });
  expect(asProblem("odd").detail).toBe("odd");
});
