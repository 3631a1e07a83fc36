import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { List } from "../api/types";
import { LiveList } from "./live-list";
import { columnsOf } from "./table";
import { renderUi } from "./test-render";

type Row = { id: string };
const column = columnsOf<Row>();
const columns = [column.display({ id: "id", header: "Id", cell: ({ row }) => row.original.id })];
const list = (...ids: string[]): List<Row> => ({
  data: ids.map((id) => ({ id })),
  pagination: { limit: 20, offset: 0, total: ids.length },
});

/** Shows a list; `update` shows later data, as a live update does. */
async function showList(first: List<Row>, part: { page?: number; filter?: string } = {}) {
  const onPage = vi.fn();
  const ui = (data: List<Row>) => (
    <LiveList
      query={{ data, error: null, isError: false, isPlaceholderData: false, refetch: vi.fn() } as never}
      itemNoun="rows"
      label="Rows"
      columns={columns}
      rowKey={(row) => row.id}
      page={part.page ?? 1}
      pageSize={20}
      linked={false}
      filter={part.filter}
      empty={<p>No rows</p>}
      onPage={onPage}
    />
  );
  const { rerender } = await renderUi(ui(first));
  return { update: (next: List<Row>) => rerender(ui(next)), onPage };
}

const shownIds = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => row.textContent);

test("new rows appear on the first page", async () => {
  const { update } = await showList(list("a"));
  update(list("b", "a"));
  expect(shownIds()).toEqual(["b", "a"]);
});

test("new rows wait behind a button under a filter", async () => {
  const { update } = await showList(list("a"), { filter: "failed" });
  update(list("b", "a"));
  expect(shownIds()).toEqual(["a"]);
  await userEvent.click(screen.getByRole("button", { name: "1 new" }));
  expect(shownIds()).toEqual(["b", "a"]);
});

test("new rows wait while the pointer is over the table", async () => {
  const { update } = await showList(list("a"));
  await userEvent.hover(screen.getByRole("table", { name: "Rows" }));
  update(list("b", "a"));
  expect(shownIds()).toEqual(["a"]);
});

test("showing new rows leads from another page to the first", async () => {
  const { update, onPage } = await showList(list("a"), { page: 2 });
  update(list("b", "a"));
  await userEvent.click(screen.getByRole("button", { name: "1 new" }));
  expect(onPage).toHaveBeenCalledWith(1);
});

test("an empty list shows its empty state", async () => {
  await showList(list());
  expect(screen.getByText("No rows")).toBeDefined();
});
