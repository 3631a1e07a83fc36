import { renderHook } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import {
  currentSession,
  endSession,
  sessionEndReason,
  useFleetPart,
  useHasRole,
  whenOperatorChanges,
} from "./session";
import { restoreSession, signIn, signOut, tokenIn } from "./sign-in";

afterEach(() => {
  endSession();
  vi.unstubAllGlobals();
});

const anna = { subject: "anna", role: "admin", expiresAt: "2026-11-28T12:00:00Z" };

/** Answers the requests in turn, and returns them. */
function answer(...answers: Response[]): Request[] {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    requests.push(request);
    return answers[requests.length - 1];
  });
  return requests;
}

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

test("signing in sends the token once, and later requests go without it", async () => {
  const requests = answer(json(200, anna), json(200, anna));
  await signIn("t1");
  await restoreSession();
  expect(requests.map((request) => request.headers.get("authorization"))).toEqual(["Bearer t1", null]);
  expect(requests[0]?.headers.get("x-requested-with")).toBe("dashboard");
  expect(currentSession()?.identity.subject).toBe("anna");
});

test("a token that is refused signs nobody in", async () => {
  answer(json(401, { title: "Unauthorized", code: "invalid_token" }));
  await expect(signIn("t1")).rejects.toMatchObject({ status: 401 });
  expect(currentSession()).toBe(null);
});

test("a session of an earlier visit is found, and its end has a reason", async () => {
  answer(json(200, anna), new Response(null, { status: 204 }), json(401, { code: "token_revoked" }));
  await restoreSession();
  expect(currentSession()?.identity.subject).toBe("anna");
  await restoreSession();
  expect([currentSession(), sessionEndReason()]).toEqual([null, null]);
  await restoreSession();
  expect([currentSession(), sessionEndReason()]).toEqual([null, "revoked"]);
});

test("the role outlives a session that ended by itself, and not a sign-out", async () => {
  const role = () => renderHook(() => useHasRole("admin")).result.current;
  answer(json(200, anna), json(401, { code: "token_expired" }), new Response(null, { status: 204 }));
  await signIn("t1");
  await restoreSession();
  expect(role()).toBe(true);
  await restoreSession();
  expect(role()).toBe(false);
});

test("what was fetched is forgotten for another operator or part of the fleet, and kept for a new token", async () => {
  const part = { ...anna, scope: { vessels: ["9074729"], companies: [] } };
  const later = { ...part, expiresAt: "2026-11-29T12:00:00Z" };
  const forget = vi.fn();
  whenOperatorChanges(forget);
  answer(json(200, anna), json(200, part), json(200, later));
  await signIn("t1");
  forget.mockClear();
  await signIn("t2");
  expect(forget).toHaveBeenCalledOnce();
  expect(renderHook(() => useFleetPart()).result.current).toEqual(part.scope);
  await signIn("t3");
  expect(forget).toHaveBeenCalledOnce();
  whenOperatorChanges(() => {});
});

test("signing out ends the session at the server first", async () => {
  const requests = answer(json(200, anna), new Response(null, { status: 204 }));
  await signIn("t1");
  await signOut();
  expect(requests[1]?.method).toBe("DELETE");
  expect([currentSession(), sessionEndReason()]).toEqual([null, null]);
});

test.each([
  "t.o-k",
  "Bearer t.o-k",
  "Authorization: Bearer t.o-k",
  "OPERATOR_TOKEN=t.o-k",
  'export OPERATOR_TOKEN="t.o-k"',
  " t.o-k\n",
])("the token is found in %j", (pasted) => expect(tokenIn(pasted)).toBe("t.o-k"));
