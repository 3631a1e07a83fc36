import type { RecordType } from "../../api/types";
import { isRecordType } from "../../format/states";

/** The record that the message of a webhook is about; null of a message that names no single record. */
export function recordOfMessage(
  body: string | null | undefined,
): { recordType: RecordType; sourceId: string } | null {
  try {
    const { recordType, sourceId } = JSON.parse(body ?? "") as Record<string, unknown>;
    if (typeof recordType !== "string" || typeof sourceId !== "string") return null;
    // `RECORD_TYPE_VESSEL`, as Protobuf's JSON has it.
    const word = recordType.replace(/^RECORD_TYPE_/, "").toLowerCase();
    return isRecordType(word) ? { recordType: word, sourceId } : null;
  } catch {
    return null;
  }
}
