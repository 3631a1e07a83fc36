import { screen } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { preloadComponents } from "./lazy-component";
import { columnsOf, Table } from "./table";
import { renderUi } from "./test-render";

// As in the app, where all files are loaded after the first page.
beforeAll(async () => {
  preloadComponents();
  await import("./virtual-rows");
});
// happy-dom lays nothing out: give the region 480 px and each row 48 px.
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(480);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(48);
});
afterEach(() => vi.restoreAllMocks());

type Row = { id: string };
const column = columnsOf<Row>();
const columns = [column.display({ id: "id", header: "Id", cell: ({ row }) => row.original.id })];
const data = Array.from({ length: 10_000 }, (_, index) => ({ id: `r${index}` }));

test("a long table renders the visible rows only and numbers them", async () => {
  await renderUi(<Table label="Attempts" columns={columns} data={data} rowKey={(row) => row.id} />);
  expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("10001");
  const rows = screen.getAllByRole("row");
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.length).toBeLessThan(40);
  expect(rows.slice(0, 2).map((row) => row.getAttribute("aria-rowindex"))).toEqual(["1", "2"]);
});

test("the scrolling region can be reached by keyboard", async () => {
  await renderUi(<Table label="Attempts" columns={columns} data={data} rowKey={(row) => row.id} />);
  expect(screen.getByRole("region", { name: "Attempts" }).tabIndex).toBe(0);
});
