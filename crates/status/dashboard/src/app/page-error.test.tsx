import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderUi } from "../ui/test-render";
import { PageError } from "./page-error";

test("a page that could not be loaded says so and offers a retry", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const reset = vi.fn();
  const error = new TypeError("Failed to fetch dynamically imported module: http://ship/assets/syncs.js");
  await renderUi(<PageError error={error} reset={reset} />);
  expect(screen.getByText("The page could not be loaded")).toBeDefined();
  expect(screen.queryByText(/dynamically/)).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(reset).toHaveBeenCalledOnce();
  vi.restoreAllMocks();
});
