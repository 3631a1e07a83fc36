import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderUi } from "../../ui/test-render";
import { PartState } from "./health";

const endedAt = "2026-11-24T05:00:00Z";

test("a portal that refuses every request is not responding well", async () => {
  const failure = "the onboarding portal answered 401 to sync/vessels: it refuses the API key";
  const lastOutcome = { class: "permanent" as const, failure, endedAt };
  await renderUi(<PartState part={{ name: "onboarding-portal", ok: false, detail: failure, lastOutcome }} />);
  expect(screen.getByText("Refusing requests")).toBeDefined();
  expect(screen.getByText(/401 to sync\/vessels/)).toBeDefined();
});

test("a transient failure is shown beside a portal that is ok", async () => {
  const lastOutcome = { class: "transient" as const, failure: "answered 503", endedAt };
  await renderUi(<PartState part={{ name: "onboarding-portal", ok: true, lastOutcome }} />);
  expect(screen.getByText("Last request failed")).toBeDefined();
});

test("a portal that answers is responding", async () => {
  const lastOutcome = { class: "ok" as const, failure: null, endedAt };
  await renderUi(<PartState part={{ name: "onboarding-portal", ok: true, lastOutcome }} />);
  expect(screen.getByText("Responding")).toBeDefined();
});
