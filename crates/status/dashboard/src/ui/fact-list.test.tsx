import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Fact, FactList } from "./fact-list";
import { renderUi } from "./test-render";

test("facts are terms with their definitions", async () => {
  await renderUi(
    <FactList wide>
      <Fact name="Rate">49 rec/s</Fact>
    </FactList>,
  );
  expect(screen.getByRole("term").textContent).toBe("Rate");
  expect(screen.getByRole("definition").textContent).toBe("49 rec/s");
});
