import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { beginSession, endSession } from "../../api/session";
import type { Conflict } from "../../api/types";
import { conflictKind } from "../../format/states";
import { renderUi } from "../../ui/test-render";
import { Resolve } from "./details";

const fetch = vi.fn<(request: Request) => Promise<Response>>();
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
  beginSession({ identity: { subject: "anna", role: "operator", expiresAt: "2099-01-01T00:00:00Z" } });
});
afterEach(() => {
  endSession();
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const conflict: Conflict = {
  id: "0193",
  recordType: "user",
  sourceId: "u-1",
  summary: "The onboarding portal has withdrawn this user, which was edited in the maintenance portal.",
  kind: "local_newer",
  policy: "last_write_wins",
  winner: "local",
  withdrawal: { side: "source", withdrawn: "approval" },
  sourceEffect: "Withdraws the user, who can no longer sign in.",
  localEffect: "The user is active, and can sign in.",
  fields: { status: { local: "active", source: "withdrawn" } },
  localWriter: "maintenance",
  localAt: "2026-11-24T05:00:00Z",
  sourceAt: "2026-11-24T04:00:00Z",
  state: "open",
  openedAt: "2026-11-24T06:00:00Z",
};

test("a withdrawal is announced before it is carried out", async () => {
  await renderUi(<Resolve conflict={conflict} />);
  await userEvent.click(screen.getByRole("button", { name: "Withdraw" }));
  const dialog = await screen.findByRole("dialog", { name: "Withdraw the record?" });
  expect(dialog.textContent).toContain("Withdraws the user, who can no longer sign in.");
  expect(fetch).not.toHaveBeenCalled();
});

test("keeping the maintenance portal's side says that the user can sign in", async () => {
  await renderUi(<Resolve conflict={conflict} />);
  await userEvent.click(screen.getByRole("button", { name: "Use maintenance portal" }));
  const dialog = await screen.findByRole("dialog", { name: "Resolve the conflict?" });
  expect(dialog.textContent).toContain("The user is active, and can sign in.");
});

test("a conflict of fields has no button that withdraws", async () => {
  await renderUi(<Resolve conflict={{ ...conflict, withdrawal: null, sourceEffect: null }} />);
  expect(screen.queryByRole("button", { name: "Withdraw" })).toBeNull();
  expect(screen.getByRole("button", { name: "Use onboarding portal" })).toBeDefined();
});

test("viewers do not decide", async () => {
  beginSession({ identity: { subject: "victor", role: "viewer", expiresAt: "2099-01-01T00:00:00Z" } });
  await renderUi(<Resolve conflict={conflict} />);
  expect(screen.queryByRole("button")).toBeNull();
});

test("a withdrawal matters more than which side is newer", () => {
  expect(conflictKind(conflict).word).toBe("Withdrawal");
  expect(conflictKind({ ...conflict, withdrawal: null }).word).toBe("Newer here");
});
