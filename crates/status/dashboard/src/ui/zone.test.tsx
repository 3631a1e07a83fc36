import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderUi } from "./test-render";
import { useZone } from "./zone";

function Zone() {
  return <p>{useZone()}</p>;
}

test("the time zone is UTC unless the URL says otherwise", async () => {
  const { unmount } = await renderUi(<Zone />);
  expect(screen.getByText("utc")).toBeDefined();
  unmount();
  await renderUi(<Zone />, { url: "/?zone=local" });
  expect(screen.getByText("local")).toBeDefined();
});
