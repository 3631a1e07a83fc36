import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Drawer } from "./drawer";
import { renderUi } from "./test-render";

test("a drawer is a named dialog with a close button", async () => {
  const onClose = vi.fn();
  await renderUi(
    <Drawer opened title="Dead letter" onClose={onClose}>
      details
    </Drawer>,
  );
  expect(screen.getByRole("dialog", { name: "Dead letter" }).textContent).toContain("details");
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(onClose).toHaveBeenCalledOnce();
});
