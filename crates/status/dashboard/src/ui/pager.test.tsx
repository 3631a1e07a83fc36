import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Pager } from "./pager";
import { renderUi } from "./test-render";

const show = async (page: number, total: number, totalIsExact = true) => {
  const onPage = vi.fn();
  await renderUi(
    <Pager page={page} pageSize={20} total={{ total, totalIsExact }} itemNoun="syncs" onPage={onPage} />,
  );
  return onPage;
};
const button = (name: string) => screen.getByRole<HTMLButtonElement>("button", { name });

test("a pager says which rows are shown and moves by one page", async () => {
  const onPage = await show(2, 1234);
  expect(screen.getByRole("navigation", { name: "Pages of syncs" }).textContent).toContain("21–40 of 1,234");
  await userEvent.click(button("Newer"));
  await userEvent.click(button("Older"));
  expect(onPage.mock.calls).toEqual([[1], [3]]);
});

test("the first and the last page end the list", async () => {
  await show(1, 21);
  expect(button("Newer").disabled).toBe(true);
  expect(button("Older").disabled).toBe(false);
});

test("a list of one page has no buttons", async () => {
  await show(1, 20);
  expect(screen.queryByRole("button")).toBeNull();
});

test("a page beyond the end leads back to the last one", async () => {
  const onPage = await show(9, 30);
  expect(screen.getByText("No such page: the list has 30 in total")).toBeDefined();
  await userEvent.click(button("Newer"));
  expect(onPage).toHaveBeenCalledWith(2);
});

test("a list that was not counted to its end goes on after what was counted", async () => {
  const onPage = await show(500, 10_000, false);
  expect(screen.getByText("9,981–10,000 of more than 10,000")).toBeDefined();
  await userEvent.click(button("Older"));
  expect(onPage).toHaveBeenCalledWith(501);
});
