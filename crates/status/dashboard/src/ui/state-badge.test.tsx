import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { labelOf, SYNC_STATES } from "../format/states";
import { StateBadge } from "./state-badge";
import { renderUi } from "./test-render";

test("a badge shows its state by word, icon and tone", async () => {
  await renderUi(<StateBadge label={labelOf(SYNC_STATES, "failed")} />);
  const badge = screen.getByText("Failed");
  expect(badge.dataset.tone).toBe("bad");
  expect(badge.querySelector("svg")).not.toBeNull();
});
