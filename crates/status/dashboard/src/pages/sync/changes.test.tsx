import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Change } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { ChangedRecord } from "./changes";

const change = (part: Partial<Change>): Change => ({
  recordType: "vessel",
  sourceId: "v-1",
  label: "MV Orion",
  outcome: "updated",
  fields: [],
  fieldsKnown: true,
  ...part,
});
const field = (name: string, old: unknown, after: unknown) =>
  ({ field: name, old, new: after }) as unknown as Change["fields"][number];
const show = (part: Partial<Change>) =>
  renderUi(
    <ul>
      <ChangedRecord change={change(part)} />
    </ul>,
  );

test("a changed record has its values before and after", async () => {
  await show({ outcome: "withdrawn", fields: [field("/grossTonnage", 61_000, 61_234)] });
  expect(screen.getByRole("link", { name: "MV Orion" }).getAttribute("href")).toBe("/records/vessel/v-1");
  expect(screen.getByText("Withdrawn")).toBeDefined();
  expect(screen.getByRole("row", { name: "Gross tonnage 61,000 61,234" })).toBeDefined();
});

test("a new record has no values before", async () => {
  await show({ outcome: "created", fields: [field("/flag", null, "NO")] });
  expect(screen.queryByRole("columnheader", { name: "Before", hidden: true })).toBeNull();
  expect(screen.getByText("1 field")).toBeDefined();
});

test("a record whose written values are not known any more says so", async () => {
  const { container } = await show({ fieldsKnown: false });
  expect(container.textContent).toContain("is not known any more");
  expect(screen.queryByRole("table")).toBeNull();
});
