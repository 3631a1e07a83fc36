import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Card } from "./card";
import { renderUi } from "./test-render";

test("a card has a heading, its content and an aside", async () => {
  await renderUi(
    <Card title="Health" aside={<a href="/all">All</a>}>
      content
    </Card>,
  );
  expect(screen.getByRole("heading", { level: 2, name: "Health" })).toBeDefined();
  expect(screen.getByRole("link", { name: "All" })).toBeDefined();
  expect(screen.getByText("content")).toBeDefined();
});
