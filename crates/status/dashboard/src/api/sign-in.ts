// Signing in and out, for all tabs of the browser.
import { client, unwrap } from "./client";
import { asProblem } from "./problem";
import { beginSession, endSession, tellOtherTabs } from "./session";

/** Signs this browser in: the token goes into a cookie. Throws a problem with status 401 for a token that is not accepted. */
export const signIn = async (token: string): Promise<void> => {
  const identity = await unwrap(
    client.POST("/api/session", { headers: { Authorization: `Bearer ${token}` } }),
  );
  beginSession({ identity });
  tellOtherTabs();
};

/** Signs all tabs of this browser out. */
export const signOut = async (): Promise<void> => {
  await unwrap(client.DELETE("/api/session"));
  endSession();
  tellOtherTabs();
};

/** Asks who is signed in, as another tab or an earlier visit has left it. Throws if the server does not answer. */
export const restoreSession = async (): Promise<void> => {
  try {
    const identity = await unwrap(client.GET("/api/session"));
    if (identity) beginSession({ identity });
    else endSession();
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status !== 401) throw error;
    endSession(problem.code === "token_revoked" ? "revoked" : "expired");
  }
};

/** The token in what somebody has pasted: alone, as a header, or as a line of an environment file. */
export function tokenIn(pasted: string): string {
  const text = pasted
    .trim()
    .replace(/^(export\s+)?OPERATOR_TOKEN=/, "")
    .replace(/^authorization:\s*/i, "")
    .replace(/^bearer\s+/i, "");
  return text.trim().replace(/^(["'])(.*)\1$/, "$2");
}
