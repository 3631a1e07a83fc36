import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { beginSession, endSession } from "../../api/session";
import type { Identity, RecordDetail } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { SyncVessel } from "./sync-vessel";

afterEach(() => {
  endSession();
  vi.unstubAllGlobals();
});

const show = (role: Identity["role"], particulars: object) => {
  beginSession({ identity: { subject: "anna", role, expiresAt: "2099-01-01T00:00:00Z" } });
  const vessel = { recordType: "vessel", sourceId: "v-1", name: "MV Orion", particulars };
  return renderUi(<SyncVessel vessel={vessel as RecordDetail} />);
};

test("an operator starts a sync of the vessel and is led to its page", async () => {
  const fetch = vi.fn(async (_: Request) => Response.json({ syncId: "0193" }, { status: 202 }));
  vi.stubGlobal("fetch", fetch);
  const { router } = await show("operator", { imoNumber: "9074729" });
  await userEvent.click(screen.getByRole("button", { name: "Sync this vessel" }));
  expect(screen.getByRole("dialog", { name: "Sync MV Orion?" })).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Start sync" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/syncs/0193"));
  expect(await fetch.mock.calls[0]?.[0].json()).toEqual({ mode: "selective", vesselImos: ["9074729"] });
});

test("a viewer starts none, and a vessel without an IMO number cannot be named", async () => {
  const { unmount } = await show("viewer", { imoNumber: "9074729" });
  expect(screen.queryByRole("button")).toBeNull();
  unmount();
  await show("operator", {});
  expect(screen.queryByRole("button")).toBeNull();
});
