// The operator's token, kept in sessionStorage: for this tab only, until the tab is closed.
import { useSyncExternalStore } from "react";
import type { Identity } from "./types";

export interface Session {
  token: string;
  identity: Identity;
}

/** Why a session ended that the operator did not end. */
export type EndReason = "expired" | "revoked";

const STORAGE_KEY = "sms-sync.session";
let session: Session | null = readSession();
let endReason: EndReason | null = null;
const listeners = new Set<() => void>();

function readSession(): Session | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "null") as Session | null;
    // Earlier versions stored another shape.
    return stored?.identity ? stored : null;
  } catch {
    return null;
  }
}

function setSession(next: Session | null, reason: EndReason | null) {
  session = next;
  endReason = reason;
  if (next) sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next));
  else sessionStorage.removeItem(STORAGE_KEY);
  for (const notify of listeners) notify();
}

export const sessionToken = (): string | null => session?.token ?? null;
export const beginSession = (next: Session) => setSession(next, null);
export const endSession = (reason: EndReason | null = null) => setSession(null, reason);
/** Why the last session ended; null after a sign-out. */
export const sessionEndReason = () => endReason;

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

export const useSession = (): Session | null => useSyncExternalStore(subscribe, () => session);

const ROLE_RANKS: Record<string, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the operator has `role` or a higher one. Only for what the page offers: the server checks every request. */
export function useHasRole(role: "operator" | "admin"): boolean {
  const current = useSession();
  return (ROLE_RANKS[current?.identity.role ?? "viewer"] ?? 0) >= (ROLE_RANKS[role] ?? 9);
}
