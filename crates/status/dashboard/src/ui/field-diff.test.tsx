import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { FieldDiff } from "./field-diff";
import { renderUi } from "./test-render";

const cells = () =>
  screen.getAllByRole("row").map((row) => [...row.children].map((cell) => cell.textContent));

test("each field has its value before and after, and absence is said", async () => {
  await renderUi(
    <FieldDiff
      label="Changes"
      before={{ flag: "NO", mmsi: null }}
      after={{ flag: "PA", mmsi: "357354070" }}
    />,
  );
  expect(cells()).toEqual([
    ["Field", "Before", "After"],
    ["MMSI", "none", "357354070"],
    ["Flag", "NO", "PA"],
  ]);
});

test("a new record has no column of earlier values, and no fields make no table", async () => {
  const { rerender } = await renderUi(<FieldDiff label="Changes" before={null} after={{ flag: "PA" }} />);
  expect(cells()).toEqual([
    ["Field", "After"],
    ["Flag", "PA"],
  ]);
  rerender(<FieldDiff label="Changes" before={{}} after={{}} />);
  expect(screen.queryByRole("table")).toBeNull();
});
