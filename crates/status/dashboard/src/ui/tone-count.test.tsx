import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderUi } from "./test-render";
import { ToneCount } from "./tone-count";

test("a count has its tone, a zero has none", async () => {
  await renderUi(
    <>
      <ToneCount value={6042} tone="bad" />
      <ToneCount value={0} tone="bad" />
    </>,
  );
  expect(screen.getByText("6,042").dataset.tone).toBe("bad");
  expect(screen.getByText("0").dataset).toMatchObject({ zero: "true" });
  expect(screen.getByText("0").dataset.tone).toBeUndefined();
});
