import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Note } from "./note";
import { renderUi } from "./test-render";

test("a note shows its title, text and actions in its tone", async () => {
  await renderUi(
    <Note tone="warn" role="status" title="Missing records" actions={<button type="button">Keep</button>}>
      3 records
    </Note>,
  );
  const note = screen.getByRole("status");
  expect(note.dataset.tone).toBe("warn");
  expect(note.textContent).toBe("Missing records3 recordsKeep");
});

test("a labelled note is a region", async () => {
  await renderUi(<Note tone="warn" label="Decision needed" />);
  expect(screen.getByRole("region", { name: "Decision needed" })).toBeDefined();
});
