import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { ChangedValues } from "./change-entry";
import { renderUi } from "./test-render";

const values = (count: number, isNew = false) => (
  <ChangedValues count={count} noun="field" isNew={isNew}>
    <p>the values</p>
  </ChangedValues>
);

test("few values are shown at once, many and those of something new wait behind their number", async () => {
  const { container, rerender } = await renderUi(values(8));
  expect(screen.getByText("the values").closest("details")).toBeNull();
  rerender(values(9));
  expect(container.querySelector("summary")?.textContent).toBe("9 fields");
  rerender(values(1, true));
  expect(container.querySelector("summary")?.textContent).toBe("1 field");
  rerender(values(0));
  expect(screen.queryByText("the values")).toBeNull();
});
