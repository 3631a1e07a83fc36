import { afterEach, expect, test } from "vitest";
import { client, unwrap } from "./client";
import { beginSession, endSession, sessionEndReason, sessionToken } from "./session";
import { respondJson, serve } from "./test-server";

afterEach(() => endSession());

const overview = (baseUrl: string) => unwrap(client.GET("/api/sync/status", { baseUrl }));
const signIn = () => beginSession({ token: "t1", identity: { subject: "anna", role: "admin" } });

test("every request carries the session's token", async () => {
  let shown: string | undefined;
  const url = await serve([
    (request, response) => {
      shown = request.headers.authorization;
      respondJson(200, { running: [] })(request, response);
    },
  ]);
  signIn();
  expect(await overview(url)).toEqual({ running: [] });
  expect(shown).toBe("Bearer t1");
});

test("a 401 to the session's token ends the session as expired", async () => {
  const url = await serve([respondJson(401, { title: "Unauthorized" })]);
  signIn();
  await expect(overview(url)).rejects.toMatchObject({ status: 401, title: "Unauthorized" });
  expect([sessionToken(), sessionEndReason()]).toEqual([null, "expired"]);
});

test("a 401 to a token being tried at sign-in keeps the session", async () => {
  const baseUrl = await serve([respondJson(401, {})]);
  signIn();
  const tried = client.GET("/api/sync/me", { baseUrl, headers: { Authorization: "Bearer t2" } });
  await expect(unwrap(tried)).rejects.toMatchObject({ status: 401 });
  expect(sessionToken()).toBe("t1");
});

test("a request without a response throws an unreachable problem", async () => {
  const url = await serve([(request) => request.socket.destroy()]);
  await expect(overview(url)).rejects.toMatchObject({ status: 0, code: "unreachable" });
});
