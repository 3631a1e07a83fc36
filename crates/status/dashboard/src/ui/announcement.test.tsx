import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Announcement } from "./announcement";
import { renderUi } from "./test-render";

test("an announcement is a live region", async () => {
  await renderUi(<Announcement text="In sync" />);
  expect(screen.getByRole("status").textContent).toBe("In sync");
});
