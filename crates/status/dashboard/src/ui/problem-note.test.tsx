import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import { ProblemNote } from "./problem-note";
import { renderUi } from "./test-render";

const problem = new Problem({
  status: 503,
  title: "Service unavailable",
  detail: "The database is not responding.",
  code: "unavailable",
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
});

test("a problem shows its cause, its trace id and a retry", async () => {
  const onRetry = vi.fn();
  await renderUi(<ProblemNote problem={problem} onRetry={onRetry} />);
  const note = screen.getByRole("alert");
  expect(note.textContent).toContain("The database is not responding.");
  expect(screen.getByTitle("4bf92f3577b34da6a3ce929d0e0e4736")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(onRetry).toHaveBeenCalledOnce();
});

test("a problem beside older data says that the data is old", async () => {
  await renderUi(<ProblemNote problem={problem} stale />);
  expect(screen.getByRole("alert").textContent).toContain("last successful request");
});
