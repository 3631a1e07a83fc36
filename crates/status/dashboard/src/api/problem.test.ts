import { expect, test } from "vitest";
import { asProblem, errorsByField, Problem, problemFromResponse } from "./problem";

const response = (status: number) => new Response(null, { status });

test("a problem keeps its trace id, field errors and extension members", () => {
  const problem = problemFromResponse(response(409), {
    title: "Conflict",
    detail: "The full sync a has not ended yet.",
    code: "full_sync_running",
    traceId: "4bf92f35",
    runningSyncId: "a",
  });
  expect(problem).toMatchObject({ status: 409, code: "full_sync_running", traceId: "4bf92f35", errors: [] });
  expect(problem.members.runningSyncId).toBe("a");
});

test("a body that is no problem gives a problem with the status alone", () => {
  const problem = problemFromResponse(response(502), "<html>Bad gateway</html>");
  expect(problem).toMatchObject({ status: 502, title: "The service answered 502", code: "unknown" });
});

test("field errors are keyed by field name and list index", () => {
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
  expect(errorsByField(problem)).toEqual({
    pageSize: "is from 1 to 1000 is whole",
    "retryDelaysMs.1": "is from 1 ms to a day",
  });
  expect(errorsByField(null)).toEqual({});
});

test("anything thrown becomes a problem with a title and a detail", () => {
  expect(asProblem(new TypeError("x is undefined"))).toMatchObject({
    title: "Error in the dashboard",
    detail: "x is undefined",
  });
  expect(asProblem("odd").detail).toBe("odd");
});
