// Who is signed in. The token itself is in a cookie that no script can read, which all tabs of the browser share.
import { useSyncExternalStore } from "react";
import type { FleetPart, Identity } from "./types";

export interface Session {
  identity: Identity;
}

/** Why a session ended that the operator did not end. */
export type EndReason = "expired" | "revoked";

/** Undefined until the server has said whether somebody is signed in. */
let session: Session | null | undefined;
let endReason: EndReason | null = null;
const listeners = new Set<() => void>();

/** Tells the other tabs that somebody signed in or out. Missing in old browsers. */
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("sms-sync.session");

/** Forgets what was fetched for an operator before another one, or one of another part of the fleet, is shown it. */
let forgetData = () => {};
export const whenOperatorChanges = (callback: () => void) => {
  forgetData = callback;
};
let lastSession: Session | null = null;

function setSession(next: Session | null, reason: EndReason | null) {
  if (next) {
    if (!lastSession || readerKey(next) !== readerKey(lastSession)) forgetData();
    lastSession = next;
  }
  session = next;
  endReason = reason;
  for (const notify of listeners) notify();
}

/** Names whose data a browser may show: of another operator, or of another part of the fleet, it is not the same. */
const readerKey = ({ identity: { subject, scope } }: Session): string =>
  JSON.stringify([subject, scope ?? null]);

export const currentSession = (): Session | null => session ?? null;
export const beginSession = (next: Session) => setSession(next, null);
export const endSession = (reason: EndReason | null = null) => setSession(null, reason);
/** Why the last session ended; null after a sign-out. */
export const sessionEndReason = () => endReason;

export const tellOtherTabs = () => channel?.postMessage("changed");

/** Calls back when another tab has signed in or out. Returns how to stop. */
export function onOtherTab(callback: () => void): () => void {
  channel?.addEventListener("message", callback);
  return () => channel?.removeEventListener("message", callback);
}

/** The reason in the JSON of a problem, or of the event with which the stream of updates ends. */
export function endReasonOf(json: string): EndReason {
  try {
    return (JSON.parse(json) as { code?: unknown } | null)?.code === "token_revoked" ? "revoked" : "expired";
  } catch {
    return "expired";
  }
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** The session; null: nobody is signed in; undefined: it is not known yet. */
export const useSession = (): Session | null | undefined => useSyncExternalStore(subscribe, () => session);

/** Names a session: another sign-in, also of the same operator, has another name. */
export const sessionKey = ({ identity }: Session): string => `${identity.subject} ${identity.expiresAt}`;

/** The operator. A page that waits for a new sign-in stays as it is, with all that was written into it. */
const useIdentity = (): Identity | undefined => (useSession() ?? (endReason ? lastSession : null))?.identity;

const ROLE_RANKS: Record<string, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the operator has `role` or a higher one. Only for what the page offers: the server checks every request. */
export function useHasRole(role: "operator" | "admin"): boolean {
  const held = useIdentity()?.role ?? "viewer";
  return (ROLE_RANKS[held] ?? 0) >= (ROLE_RANKS[role] ?? 9);
}

/**
 * The part of the fleet that the operator's token is for; null: the whole fleet. For a part, the server refuses what is about
 * the whole: the pages do not ask for it.
 */
export const useFleetPart = (): FleetPart | null => useIdentity()?.scope ?? null;
