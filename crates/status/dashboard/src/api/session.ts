// The operator's token: kept for the tab alone, gone when it is closed.
import { useSyncExternalStore } from "react";
import type { Identity } from "./types";

export interface Session {
  token: string;
  who: Identity;
}

const KEY = "sms-sync.session";
let session: Session | null = read();
let ended: "expired" | null = null;
const listeners = new Set<() => void>();

function read(): Session | null {
  try {
    const kept = sessionStorage.getItem(KEY);
    return kept ? (JSON.parse(kept) as Session) : null;
  } catch {
    return null;
  }
}

function set(next: Session | null, why: "expired" | null) {
  session = next;
  ended = why;
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
  for (const tell of listeners) tell();
}

export const sessionToken = (): string | null => session?.token ?? null;
export const beginSession = (next: Session) => set(next, null);
export const endSession = (why: "expired" | null = null) => set(null, why);
/** Why the last session ended, if not by the operator. */
export const sessionEnd = () => ended;

const subscribe = (tell: () => void) => {
  listeners.add(tell);
  return () => listeners.delete(tell);
};

export const useSession = (): Session | null => useSyncExternalStore(subscribe, () => session);

const RANK: Record<string, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the operator's role reaches `role`. The server decides in the end; this decides what is offered. */
export function useMay(role: "operator" | "admin"): boolean {
  const current = useSession();
  return (RANK[current?.who.role ?? "viewer"] ?? 0) >= (RANK[role] ?? 9);
}
