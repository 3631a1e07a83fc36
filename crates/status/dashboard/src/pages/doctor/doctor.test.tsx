import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Diagnosis } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { Advice, doctorStatus } from "./doctor";

const stuck: Diagnosis = {
  question: "stuck",
  ok: false,
  title: "The full sync shows no sign of life",
  causes: ["no worker runs", "the circuit is open"],
  fix: "Start a worker.",
  syncId: "0193",
};
const fine: Diagnosis = { question: "connection", ok: true, title: "All answer", causes: [] };
const status = (ok: boolean, ...diagnoses: Diagnosis[]) =>
  doctorStatus({ ok, checkedAt: "2026-11-24T05:00:00Z", diagnoses });

test("advice has the causes in their order, what to do, and a link to the sync", async () => {
  await renderUi(<Advice diagnosis={stuck} />);
  const items = screen.getAllByRole("listitem").slice(1);
  expect(items.map((item) => item.textContent)).toEqual(["No worker runs", "The circuit is open"]);
  expect(screen.getByText("Start a worker.")).toBeDefined();
  expect(screen.getByRole("link", { name: "View sync" }).getAttribute("href")).toBe("/syncs/0193");
});

test("a finding that is fine has neither causes nor remedy", async () => {
  await renderUi(<Advice diagnosis={fine} />);
  expect(screen.queryByText("Why")).toBeNull();
  expect(screen.queryByText("What to do")).toBeNull();
});

test("the doctor is green only if the service says that nothing is wrong", () => {
  expect(status(true, fine)).toMatchObject({ tone: "good", headline: "Nothing is wrong" });
  expect(status(false, fine).tone).toBe("warn");
  expect(status(false, fine, stuck)).toMatchObject({ tone: "bad", headline: stuck.title });
  expect(status(false, stuck, { ...stuck, title: "x" }).headline).toBe("2 things are wrong");
});
