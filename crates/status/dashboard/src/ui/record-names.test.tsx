import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { RecordNames } from "./record-names";
import { renderUi } from "./test-render";

test("records are listed by name, with the number of the others", async () => {
  await renderUi(<RecordNames names={["MV Orion", "MV Nordic Grace"]} total={5} />);
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
    "MV Orion",
    "MV Nordic Grace",
  ]);
  expect(screen.getByText("and 3 others")).toBeDefined();
});
