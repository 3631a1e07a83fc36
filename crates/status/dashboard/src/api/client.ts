// The HTTP client of the operator API. Its types are generated from the OpenAPI document (npm run api).
import createClient from "openapi-fetch";
import { withExactNumbers } from "./exact-numbers";
import { Problem, problemFromResponse } from "./problem";
import type { paths } from "./schema";
import { learnServerTime } from "./server-clock";
import { currentSession, endReasonOf, endSession } from "./session";
import { withVisibleText } from "./visible-text";

export const client = createClient<paths>({
  baseUrl: "",
  // Looked up at each request, so that tests can replace it.
  fetch: (request) => globalThis.fetch(request),
});

/** When a request was sent, in ms since the epoch by the browser's clock. */
const requestedAt = new WeakMap<Request, number>();

client.use({
  onRequest({ request }) {
    requestedAt.set(request, Date.now());
    // Without it the server changes nothing for the session's cookie: no other site can set it.
    request.headers.set("X-Requested-With", "dashboard");
    return request;
  },
  async onResponse({ request, response }) {
    // The session's token has expired or was revoked. A token that is only being tried at sign-in ends no session.
    const isOfSession = currentSession() !== null && !request.headers.has("Authorization");
    learnServerTime(response.headers.get("Date"), requestedAt.get(request) ?? 0, Date.now());
    const hasEnded = response.status === 401 && isOfSession;
    // Files, such as an export in application/x-ndjson, stay as they are to the byte.
    if (!/[/+]json/.test(response.headers.get("Content-Type") ?? "")) {
      if (hasEnded) endSession("expired");
      return;
    }
    const json = withVisibleText(await response.text());
    if (hasEnded) endSession(endReasonOf(json));
    const { status, statusText, headers } = response;
    return new Response(withExactNumbers(json) || null, { status, statusText, headers });
  },
});

export interface ApiResponse<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

const NO_CONTENT = 204;

/** Returns the body of a 2xx response, undefined of one without a body. Throws a `Problem` for every other response and for a failed request. */
export async function unwrap<T>(request: Promise<ApiResponse<T>>): Promise<T> {
  let result: ApiResponse<T>;
  try {
    result = await request;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem({
      status: 0,
      title: "SMS Sync is not responding",
      detail: "This browser cannot reach the service. Check the network connection, then retry.",
      code: "unreachable",
    });
  }
  const { response, data } = result;
  if (response.ok && (data !== undefined || response.status === NO_CONTENT)) return data as T;
  throw problemFromResponse(result.response, result.error);
}
