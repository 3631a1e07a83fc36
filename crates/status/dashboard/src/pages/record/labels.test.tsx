import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { RecordDetail } from "../../api/types";
import { renderUi } from "../../ui/test-render";
import { Labels } from "./labels";

const record = (recordType: string, status: string | null = "active") =>
  ({ recordType, sourceId: "a/1", status }) as RecordDetail;
const target = (name: RegExp) => screen.getByRole("link", { name }).getAttribute("href");

test("equipment has its label to view and to download", async () => {
  await renderUi(<Labels record={record("equipment")} />);
  expect(target(/^View label/)).toBe("/api/equipment/a%2F1/qr.svg");
  const download = screen.getByRole("link", { name: /^Download label/ });
  expect(download.getAttribute("href")).toBe("/api/equipment/a%2F1/qr.png");
  expect(download.hasAttribute("download")).toBe(true);
});

test("the label sheets of a vessel leave out the labels already used", async () => {
  await renderUi(<Labels record={record("vessel")} />);
  expect(target(/^Print/)).toBe("/api/vessels/a%2F1/labels.html");
  const used = screen.getByRole("textbox");
  await userEvent.clear(used);
  expect(screen.queryByRole("link")).toBeNull();
  await userEvent.type(used, "5");
  expect(target(/^Print/)).toBe("/api/vessels/a%2F1/labels.html?used=5");
});

test("other records, and records that are not here, have no labels", async () => {
  const { container, rerender } = await renderUi(<Labels record={record("user")} />);
  expect(container.querySelector("a")).toBeNull();
  rerender(<Labels record={record("equipment", null)} />);
  expect(container.querySelector("a")).toBeNull();
});
