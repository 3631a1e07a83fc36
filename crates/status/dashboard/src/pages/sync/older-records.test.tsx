import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { beginSession, endSession } from "../../api/session";
import type { OlderRecords } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { OlderRecordsNote } from "./older-records";

const fetch = vi.fn<(request: Request) => Promise<Response>>();
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  endSession();
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const found: OlderRecords = {
  syncId: "0193",
  records: 3,
  byType: [
    { recordType: "vessel", records: 2 },
    { recordType: "user", records: 1 },
  ],
};

test("an operator sees how many older records are accepted, and sends that number", async () => {
  beginSession({ identity: { subject: "anna", role: "operator", expiresAt: "2099-01-01T00:00:00Z" } });
  fetch.mockResolvedValueOnce(
    new Response(JSON.stringify({ findings: [{ label: "MV Orion", sourceId: "v-1" }] }), {
      headers: { "content-type": "application/json" },
    }),
  );
  await renderUi(<OlderRecordsNote found={found} />);
  expect(screen.getByText("3 records are older in the onboarding portal than here")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Accept older state" }));
  const dialog = await screen.findByRole("dialog", { name: "Accept the older state of 3 records?" });
  expect(dialog.textContent).toContain("2 vessels, 1 user");
  expect(await screen.findByText("MV Orion")).toBeDefined();
  expect(screen.getByText("and 2 others")).toBeDefined();
  fetch.mockResolvedValue(
    new Response(JSON.stringify({ syncId: "0193", retrySyncId: "0194", records: 3, left: 0 }), {
      status: 202,
      headers: { "content-type": "application/json" },
    }),
  );
  await userEvent.click(screen.getByRole("button", { name: "Accept 3 records" }));
  const request = fetch.mock.calls.map(([sent]) => sent).find(({ method }) => method === "POST");
  expect(request?.url).toMatch(/\/api\/sync\/syncs\/0193\/accept-older$/);
  expect(await request?.json()).toEqual({ expectedRecords: 3 });
});

test("viewers do not accept older records", async () => {
  beginSession({ identity: { subject: "victor", role: "viewer", expiresAt: "2099-01-01T00:00:00Z" } });
  await renderUi(<OlderRecordsNote found={found} />);
  expect(screen.queryByRole("button")).toBeNull();
  expect(screen.getByText(/An operator decides/)).toBeDefined();
});
