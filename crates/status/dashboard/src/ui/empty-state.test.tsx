import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { EmptyState } from "./empty-state";
import { renderUi } from "./test-render";

test("an empty state says what is missing and what will fill it", async () => {
  await renderUi(<EmptyState title="No syncs yet">Start a full sync.</EmptyState>);
  expect(screen.getByText("No syncs yet")).toBeDefined();
  expect(screen.getByText("Start a full sync.")).toBeDefined();
});
