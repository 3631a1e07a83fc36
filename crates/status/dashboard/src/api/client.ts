// The one client of the operator API. Its types are generated from the OpenAPI document (npm run api).
import createClient from "openapi-fetch";
import { Problem, toProblem } from "./problem";
import type { paths } from "./schema";
import { endSession, sessionToken } from "./session";

export const client = createClient<paths>({ baseUrl: "" });

client.use({
  onRequest({ request }) {
    const token = sessionToken();
    if (token && !request.headers.has("Authorization"))
      request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
  onResponse({ request, response }) {
    // A token that was good when the session began has expired or was withdrawn.
    const used = request.headers.get("Authorization");
    if (response.status === 401 && used === `Bearer ${sessionToken()}`) endSession("expired");
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a good answer; every other answer, and none, is a `Problem` thrown. */
export async function take<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem({
      status: 0,
      title: "SMS Sync does not answer",
      detail: "The service cannot be reached from this browser. It is tried again as soon as you ask.",
      code: "unreachable",
    });
  }
  if (answer.response.ok && answer.data !== undefined) return answer.data;
  throw toProblem(answer.response, answer.error);
}
