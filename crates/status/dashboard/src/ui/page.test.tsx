import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Page } from "./page";
import { renderUi } from "./test-render";

test("a page sets the document's title", async () => {
  await renderUi(
    <Page title="Syncs" actions={<button type="button">Start full sync</button>}>
      content
    </Page>,
  );
  expect(document.title).toBe("Syncs · SMS Sync");
  expect(screen.getByRole("heading", { level: 1, name: "Syncs" })).toBeDefined();
  expect(screen.getByRole("button", { name: "Start full sync" })).toBeDefined();
});
