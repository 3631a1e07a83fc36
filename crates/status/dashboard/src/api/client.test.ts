import { afterEach, expect, test } from "vitest";
import { client, take } from "./client";
import { beginSession, endSession, sessionEnd, sessionToken } from "./session";
import { json, serve } from "./test-server";

afterEach(() => endSession());

const overview = (baseUrl: string) => take(client.GET("/api/sync/status", { baseUrl }));
const signIn = () => beginSession({ token: "t1", who: { subject: "anna", role: "admin" } });

test("the session's token goes with every question", async () => {
  let shown: string | undefined;
  const url = await serve([
    (request, response) => {
      shown = request.headers.authorization;
      json(200, { running: [] })(request, response);
    },
  ]);
  signIn();
  expect(await overview(url)).toEqual({ running: [] });
  expect(shown).toBe("Bearer t1");
});

test("a token that is no longer good ends the session and says why", async () => {
  const url = await serve([json(401, { title: "Unauthorized" })]);
  signIn();
  await expect(overview(url)).rejects.toMatchObject({ status: 401, title: "Unauthorized" });
  expect([sessionToken(), sessionEnd()]).toEqual([null, "expired"]);
});

test("a token that is only tried does not end the session that stands", async () => {
  const baseUrl = await serve([json(401, {})]);
  signIn();
  const tried = client.GET("/api/sync/me", { baseUrl, headers: { Authorization: "Bearer t2" } });
  await expect(take(tried)).rejects.toMatchObject({ status: 401 });
  expect(sessionToken()).toBe("t1");
});

test("no answer at all is a problem that says so", async () => {
  const url = await serve([(request) => request.socket.destroy()]);
  await expect(overview(url)).rejects.toMatchObject({ status: 0, code: "unreachable" });
});
