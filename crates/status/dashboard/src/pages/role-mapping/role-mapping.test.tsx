import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { beginSession, endSession } from "../../api/session";
import type { RoleMapping, RoleMappingEffect } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { MappingForm } from "./role-mapping";

const mapping: RoleMapping = {
  version: 4,
  createdAt: "2026-11-24T05:00:00Z",
  createdBy: "anna",
  rules: [
    { rank: "master", workplace: "ship", role: "master" },
    { rank: "cook", workplace: "ship", role: "crew_readonly" },
  ],
};
const effect: RoleMappingEffect = {
  version: 4,
  changed: 1,
  kept: 1,
  changes: [
    {
      userId: "1",
      sourceId: "u-1",
      email: "c\u2026@ship.example",
      rank: "cook",
      workplace: "ship",
      from: "crew_readonly",
      to: "crew",
      gains: ["report_work"],
      loses: [],
      kept: false,
    },
    {
      userId: "2",
      sourceId: "u-2",
      email: "d\u2026@ship.example",
      rank: "cook",
      workplace: "ship",
      from: "officer",
      to: "crew",
      gains: [],
      loses: ["sign_department"],
      kept: true,
    },
  ],
};

const requests: { method: string; path: string; ifMatch: string | null; body: unknown }[] = [];
let answer: (method: string) => Response;
beforeEach(() => {
  vi.stubGlobal("fetch", async (request: Request) => {
    requests.push({
      method: request.method,
      path: new URL(request.url).pathname,
      ifMatch: request.headers.get("if-match"),
      body: await request.json().catch(() => null),
    });
    return answer(request.method);
  });
  answer = () => Response.json(effect);
  window.scrollTo = () => {};
});
afterEach(() => {
  endSession();
  vi.unstubAllGlobals();
  requests.length = 0;
});

const show = (role: "viewer" | "admin" = "admin") => {
  beginSession({ identity: { subject: "anna", role, expiresAt: "2099-01-01T00:00:00Z" } });
  return renderUi(<MappingForm mapping={mapping} />);
};
const button = (name: string) => screen.getByRole("button", { name });

async function giveCooks(role: string) {
  await userEvent.click(button("Edit rule 2, Cook"));
  await userEvent.selectOptions(await screen.findByLabelText("Role"), role);
  await userEvent.click(button("Apply"));
}

test("an admin sees who gains and loses what, and then saves the version that was edited", async () => {
  await show();
  expect(button("Preview effect")).toHaveProperty("disabled", true);
  await giveCooks("Crew");
  expect(screen.getByText("1 unsaved change")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Save role mapping" })).toBeNull();
  await userEvent.click(button("Preview effect"));
  const table = within(await screen.findByRole("table", { name: "Users who get another role" }));
  expect(table.getByRole("row", { name: /Crew readonly → Crew/ }).textContent).toContain("report work");
  expect(table.getByRole("row", { name: /set by hand, stays/ })).toBeDefined();
  expect(screen.getByText(/^1 user gets another role\. 1 user keeps a role/)).toBeDefined();
  await userEvent.click(button("Save role mapping"));
  await waitFor(() => expect(requests).toHaveLength(2));
  const rules = [mapping.rules[0], { rank: "cook", workplace: "ship", role: "crew" }];
  expect(requests).toEqual([
    { method: "POST", path: "/api/sync/role-mapping/preview", ifMatch: null, body: { rules } },
    { method: "PUT", path: "/api/sync/role-mapping", ifMatch: '"4"', body: { rules } },
  ]);
});

test("another edit takes the preview back, so that what is saved was seen", async () => {
  await show();
  await giveCooks("Crew");
  await userEvent.click(button("Preview effect"));
  await screen.findByRole("button", { name: "Save role mapping" });
  await userEvent.click(button("Remove rule 1, Master"));
  expect(screen.queryByRole("button", { name: "Save role mapping" })).toBeNull();
  expect(screen.queryByRole("table", { name: "Users who get another role" })).toBeNull();
  expect(screen.getByText("2 unsaved changes, 1 rule removed")).toBeDefined();
});

test("rules that another admin changed meanwhile are not overwritten", async () => {
  const { rerender } = await show();
  await giveCooks("Crew");
  rerender(<MappingForm mapping={{ ...mapping, version: 5, createdBy: "bert" }} />);
  expect(screen.getByText(/^bert changed the rules while you were editing/)).toBeDefined();
  expect(button("Preview effect")).toHaveProperty("disabled", true);
  await userEvent.click(button("Show the new version"));
  expect(screen.queryByText(/^bert changed/)).toBeNull();
});

test("what is wrong with a rule stands in its row", async () => {
  answer = () =>
    Response.json(
      {
        title: "Invalid",
        status: 422,
        code: "invalid",
        errors: [{ pointer: "#/rules/1", detail: "no user can reach the rule" }],
      },
      { status: 422 },
    );
  await show();
  await giveCooks("Crew");
  await userEvent.click(button("Preview effect"));
  await waitFor(() =>
    expect(screen.getByRole("row", { name: /Cook/ }).textContent).toContain("no user can reach the rule"),
  );
});

test("a new rule is added at its place, with a rank", async () => {
  await show();
  await userEvent.click(button("Add rule"));
  await userEvent.click(screen.getAllByRole("button", { name: "Add rule" }).at(-1) as HTMLElement);
  expect(await screen.findByText("Enter a rank.")).toBeDefined();
  await userEvent.type(screen.getByLabelText("Rank or position"), "cadet");
  const place = screen.getByLabelText(/^Place in the order/);
  await userEvent.clear(place);
  await userEvent.type(place, "1{Enter}");
  const rows = within(screen.getByRole("table", { name: "Rules" })).getAllByRole("row");
  await waitFor(() => expect(rows[1]?.isConnected && rows[1].textContent).toContain("1Cadetnew"));
});

test("a viewer reads the rules and changes nothing", async () => {
  await show("viewer");
  expect(screen.getByRole("row", { name: /Cook/ })).toBeDefined();
  expect(screen.queryByRole("button")).toBeNull();
});
