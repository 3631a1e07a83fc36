import { expect, test } from "vitest";
import { recordOfMessage } from "./record-of-message";

test("the message of a webhook names its record", () => {
  const body = JSON.stringify({ recordType: "RECORD_TYPE_VESSEL", sourceId: "v-1" });
  expect(recordOfMessage(body)).toEqual({ recordType: "vessel", sourceId: "v-1" });
});

test("other messages name none", () => {
  for (const body of [
    null,
    "this is no task",
    "{}",
    "null",
    '{"recordType":"RECORD_TYPE_SHIP","sourceId":"1"}',
  ])
    expect(recordOfMessage(body)).toBeNull();
});
