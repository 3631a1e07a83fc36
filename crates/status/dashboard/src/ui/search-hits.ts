// Where the hits of a search lead.
import { linkOptions } from "@tanstack/react-router";
import type { HitKind, SearchHit } from "../api/types";
import { isRecordType } from "../format/states";

/** The page of a hit; of a kind that this dashboard does not know, the page of the search. `isAdmin`: may read the audit log. */
export function hitPage(kind: HitKind, hit: SearchHit, isAdmin: boolean) {
  if (isRecordType(kind)) {
    return linkOptions({
      to: "/records/$recordType/$sourceId",
      params: { recordType: kind, sourceId: hit.id },
    });
  }
  switch (kind) {
    case "sync":
      return linkOptions({ to: "/syncs/$syncId", params: { syncId: hit.id } });
    case "webhook":
      return linkOptions({ to: "/webhooks", search: { open: hit.id } });
    case "dead_letter":
      return linkOptions({ to: "/dead-letters", search: { open: hit.id } });
    default:
      return kind === "trace" && isAdmin
        ? linkOptions({ to: "/audit", search: { traceId: hit.id } })
        : linkOptions({ to: "/search", search: { q: hit.id } });
  }
}

/** The field that holds the text: `IMO number`. */
export const matchedText = (hit: SearchHit): string => MATCHED_WORDS[hit.matched] ?? hit.matched;

const MATCHED_WORDS: Partial<Record<string, string>> = {
  imoNumber: "IMO number",
  mmsi: "MMSI",
  name: "name",
  tag: "tag",
  sfiCode: "SFI code",
  qrCode: "QR code",
  email: "email",
  sourceId: "ID in the onboarding portal",
  id: "ID",
  label: "name in a rejected state",
  webhookId: "webhook-id",
  messageId: "message ID",
  taskId: "ID of a task",
  traceId: "trace ID",
};
