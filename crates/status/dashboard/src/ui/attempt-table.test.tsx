import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Attempt } from "../api/types";
import { AttemptTable } from "./attempt-table";
import { renderUi } from "./test-render";

const attempt = (part: Partial<Attempt> = {}): Attempt => ({
  beganAt: "2026-11-24T05:00:00Z",
  class: "transient",
  durationMs: 1200,
  failure: "the portal answered 503",
  messageId: "message-00000001",
  number: 1,
  ...part,
});

test("an attempt shows its failure class, duration and next attempt", async () => {
  await renderUi(<AttemptTable attempts={[attempt({ nextAttemptAt: "2026-11-24T05:00:10Z" })]} />);
  const row = screen.getByRole("row", { name: /503/ });
  expect(row.textContent).toContain("Transient");
  expect(row.textContent).toContain("1.2 s");
  expect(row.textContent).toMatch(/retried .* ago/);
});

test("an attempt without a next one ended in a dead letter", async () => {
  await renderUi(<AttemptTable attempts={[attempt({ nextAttemptAt: null })]} />);
  expect(screen.getByRole("cell", { name: "dead letter" })).toBeDefined();
});

test("task ids are shown for attempts at several tasks only", async () => {
  const { unmount } = await renderUi(<AttemptTable attempts={[attempt()]} />);
  expect(screen.queryByRole("button", { name: "Copy task ID" })).toBeNull();
  unmount();
  await renderUi(<AttemptTable attempts={[attempt()]} showTask />);
  expect(screen.getByRole("button", { name: "Copy task ID" })).toBeDefined();
});
