import { renderHook } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { beginSession, endSession } from "../api/session";
import type { FleetPart, Identity } from "../api/types";
import { closedPage, usePages } from "./pages";

afterEach(() => endSession());

const pagesOf = (role: Identity["role"], scope: FleetPart | null = null) => {
  beginSession({ identity: { subject: "anna", role, expiresAt: "2099-01-01T00:00:00Z", scope } });
  return renderHook(() => usePages()).result.current.map(({ name }) => name);
};

test("a page of admins is offered to admins alone", () => {
  expect(pagesOf("admin")).toContain("Audit log");
  expect(pagesOf("operator")).not.toContain("Audit log");
});

test("a token for a part of the fleet is offered only what is open to it, whatever its role", () => {
  const part = { vessels: ["9074729"], companies: [] };
  expect(pagesOf("admin", part)).toEqual(["Overview", "Records", "Analytics", "About"]);
});

test("pages about the whole fleet are closed to it, with all that is below them", () => {
  expect(["/syncs", "/users/role-mapping", "/search"].map(closedPage)).toEqual(["Syncs", "Users", "Search"]);
  const open = ["/", "/records/vessel/v-1", "/syncs/0193", "/nowhere"];
  expect(open.map(closedPage).filter((name) => name !== undefined)).toEqual([]);
});
