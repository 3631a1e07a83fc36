// The request that starts a sync like an earlier one.
import type { SyncSummary, TriggerRequest } from "../api/types";

/** What a sync has read, as it is stored. */
interface Scope {
  recordTypes?: string[];
  vesselId?: string;
  vesselIds?: string[];
  companyId?: string;
  sourceIds?: Record<string, string[]>;
  updatedSince?: string;
  updatedUntil?: string;
}

/** The ids, in the onboarding portal, of the vessels that a sync was narrowed to. */
export function vesselsOf(sync: SyncSummary): string[] {
  const { vesselId, vesselIds = [] } = (sync.scope ?? {}) as Scope;
  return vesselId ? [vesselId, ...vesselIds] : vesselIds;
}

/**
 * The request, with the IMO numbers of `vesselsOf`; null of a sync that no request can repeat, such as the retry of single
 * records.
 */
export function requestLike(sync: SyncSummary, vesselImos: string[]): TriggerRequest | null {
  const scope = (sync.scope ?? {}) as Scope;
  const { equipment = [], ...others } = scope.sourceIds ?? {};
  if (Object.keys(others).length > 0) return null;
  // What a sync is narrowed by, and this dashboard does not know, must not be left out.
  const isKnown = Object.keys(scope).every((name) => SCOPE_FIELDS.has(name));
  if (!isKnown) return null;
  if (sync.mode === "full") return { mode: "full" };
  const recordTypes = (scope.recordTypes ?? []) as NonNullable<TriggerRequest["recordTypes"]>;
  if (sync.mode === "incremental") return { mode: "incremental", recordTypes };
  return {
    mode: "selective",
    recordTypes,
    vesselImos,
    companyId: scope.companyId ?? null,
    equipmentIds: equipment,
    changedSince: scope.updatedSince ?? null,
    changedUntil: scope.updatedUntil ?? null,
  };
}

const SCOPE_FIELDS = new Set([
  "recordTypes",
  "vesselId",
  "vesselIds",
  "companyId",
  "sourceIds",
  "updatedSince",
  "updatedUntil",
]);
