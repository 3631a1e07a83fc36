import { expect, test } from "vitest";
import { Icon } from "./icon";
import { renderUi } from "./test-render";

test("an icon is hidden from screen readers", async () => {
  const { container } = await renderUi(<Icon name="check" size={16} />);
  const icon = container.querySelector("svg");
  expect(icon?.getAttribute("aria-hidden")).toBe("true");
  expect(icon?.getAttribute("width")).toBe("16");
});
