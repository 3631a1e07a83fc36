import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { CopyableId } from "./copyable-id";
import { renderUi } from "./test-render";

test("a long id shows its end, and the whole on hover", async () => {
  await renderUi(<CopyableId text="0193aaaa-0000-7000-8000-000000000001" name="sync ID" />);
  expect(screen.getByTitle("0193aaaa-0000-7000-8000-000000000001").textContent).toBe("…00000001");
});

test("the button copies the whole id and says so", async () => {
  const user = userEvent.setup();
  await renderUi(<CopyableId text="0193aaaa-0000-7000-8000-000000000001" name="sync ID" />);
  await user.click(screen.getByRole("button", { name: "Copy sync ID" }));
  expect(await screen.findByRole("button", { name: "sync ID copied" })).toBeDefined();
  expect(await navigator.clipboard.readText()).toBe("0193aaaa-0000-7000-8000-000000000001");
});
