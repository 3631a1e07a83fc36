import { afterEach, expect, test } from "vitest";
import { client, unwrap } from "./client";
import { beginSession, currentSession, endSession, sessionEndReason } from "./session";
import { respondJson, serve } from "./test-server";

afterEach(() => endSession());

const overview = (baseUrl: string) => unwrap(client.GET("/api/sync/status", { baseUrl }));
const signIn = () =>
  beginSession({ identity: { subject: "anna", role: "admin", expiresAt: "2099-01-01T00:00:00Z" } });

test("every request carries the header that no other site can set, and no token", async () => {
  let shown: unknown[] = [];
  const url = await serve([
    (request, response) => {
      shown = [request.headers["x-requested-with"], request.headers.authorization];
      respondJson(200, { running: [] })(request, response);
    },
  ]);
  signIn();
  expect(await overview(url)).toEqual({ running: [] });
  expect(shown).toEqual(["dashboard", undefined]);
});

test("a 401 ends the session as expired", async () => {
  const url = await serve([respondJson(401, { title: "Unauthorized" })]);
  signIn();
  await expect(overview(url)).rejects.toMatchObject({ status: 401, title: "Unauthorized" });
  expect([currentSession(), sessionEndReason()]).toEqual([null, "expired"]);
});

test("a 401 to a token being tried at sign-in keeps the session", async () => {
  const baseUrl = await serve([respondJson(401, {})]);
  signIn();
  const tried = client.GET("/api/sync/me", { baseUrl, headers: { Authorization: "Bearer t2" } });
  await expect(unwrap(tried)).rejects.toMatchObject({ status: 401 });
  expect(currentSession()?.identity.subject).toBe("anna");
});

test("a request without a response throws an unreachable problem", async () => {
  const url = await serve([(request) => request.socket.destroy()]);
  await expect(overview(url)).rejects.toMatchObject({ status: 0, code: "unreachable" });
});
