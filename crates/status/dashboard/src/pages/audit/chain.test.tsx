import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AuditChain } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { Chain } from "./chain";

const fetch = vi.fn<(request: Request) => Promise<Response>>();
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const verified = async (part: Partial<AuditChain>) => {
  const chain: AuditChain = {
    intact: true,
    rows: 1204,
    purgedUntil: 0,
    end: "1204:9f86d081884c7d65",
    problem: null,
    checkedAt: "2026-11-24T05:00:00Z",
    ...part,
  };
  fetch.mockImplementation(async () => Response.json(chain));
  await renderUi(<Chain />);
  expect(screen.queryByText("Intact")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Verify the chain" }));
  await screen.findByRole("button", { name: "Verify again" });
};
const toneOf = (word: string) => screen.getByText(word).closest("[data-tone]")?.getAttribute("data-tone");

test("a chain is green only once it was verified, with when and its end to note elsewhere", async () => {
  await verified({});
  expect(toneOf("Intact")).toBe("good");
  expect(screen.getByText("1,204 entries verified")).toBeDefined();
  expect(screen.getByText(/24 Nov 05:00:00/)).toBeDefined();
  expect(screen.getByTitle("1204:9f86d081884c7d65")).toBeDefined();
  expect(screen.getByRole("button", { name: "Copy end of the chain" })).toBeDefined();
});

test("a broken chain is red and says where", async () => {
  await verified({ intact: false, rows: null, purgedUntil: null, end: null, problem: "row 12 was changed" });
  expect(toneOf("Broken")).toBe("bad");
  expect(screen.getByText("Row 12 was changed")).toBeDefined();
  expect(screen.queryByText("Intact")).toBeNull();
});

test("a log without entries is not green", async () => {
  await verified({ rows: 0 });
  expect(toneOf("No entries")).toBe("neutral");
});

test("what retention deleted is said, and an end that cannot be compared is not green", async () => {
  await verified({ purgedUntil: 500, rows: null, end: null, problem: "the expected place was purged" });
  expect(toneOf("Not compared")).toBe("warn");
  expect(screen.getByText("the first 500, before those that were verified")).toBeDefined();
});

test("an end that was noted earlier is sent, and one that is none is marked", async () => {
  await verified({});
  await userEvent.click(screen.getByText("Compare with an end that was noted earlier"));
  const field = screen.getByLabelText("End that was noted earlier");
  await userEvent.type(field, "12:ab{Enter}");
  expect(new URL(fetch.mock.lastCall?.[0].url ?? "").searchParams.get("expect")).toBe("12:ab");
  const errors = [{ pointer: "#/expect", detail: "is no place of the chain" }];
  fetch.mockImplementation(async () => Response.json({ title: "Invalid", errors }, { status: 422 }));
  await userEvent.type(field, "x{Enter}");
  expect(await screen.findByText("is no place of the chain")).toBeDefined();
});

test("a verification that failed says so", async () => {
  fetch.mockImplementation(async () => Response.json({ title: "Unavailable", status: 503 }, { status: 503 }));
  await renderUi(<Chain />);
  await userEvent.click(screen.getByRole("button", { name: "Verify the chain" }));
  expect(await screen.findByText("Unavailable")).toBeDefined();
  expect(screen.queryByText("Intact")).toBeNull();
});
