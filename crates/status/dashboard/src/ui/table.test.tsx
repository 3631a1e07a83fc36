import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { columnsOf, rowLink, Table } from "./table";
import { renderUi } from "./test-render";

type Vessel = { imo: string; records: number };
const column = columnsOf<Vessel>();
const columns = [
  column.display({
    id: "imo",
    header: "IMO number",
    cell: ({ row }) => (
      <a href={`/${row.original.imo}`} {...rowLink}>
        {row.original.imo}
      </a>
    ),
    footer: "All vessels",
    meta: { rowHeader: true },
  }),
  column.display({
    id: "records",
    header: "Records",
    cell: ({ row }) => row.original.records,
    footer: ({ table }) => table.getRowModel().rows.reduce((sum, row) => sum + row.original.records, 0),
    meta: { figure: true, narrow: "beside" },
  }),
];
const vessels: Vessel[] = [
  { imo: "9867607", records: 2 },
  { imo: "9074729", records: 3 },
];
const table = (part: Partial<Parameters<typeof Table<Vessel>>[0]> = {}) => (
  <Table label="Vessels" columns={columns} data={vessels} rowKey={(row) => row.imo} {...part} />
);
const rows = () => screen.getAllByRole("row");

test("columns have headers, and cells their label and place in a card", async () => {
  await renderUi(table());
  expect(screen.getAllByRole("columnheader").map((header) => header.textContent)).toEqual([
    "IMO number",
    "Records",
  ]);
  expect(screen.getByRole("rowheader", { name: "9867607" })).toBeDefined();
  expect(screen.getByRole("cell", { name: "2" }).dataset).toMatchObject({
    label: "Records",
    narrow: "beside",
  });
});

test("the footer shows the columns' footers", async () => {
  await renderUi(table({ footer: true }));
  expect(rows().at(-1)?.textContent).toBe("All vessels5");
});

test("j and k move between the row links of a linked table", async () => {
  await renderUi(table({ linked: true }));
  const [first, second] = screen.getAllByRole("link");
  await userEvent.keyboard("j");
  expect(document.activeElement).toBe(first);
  await userEvent.keyboard("j");
  expect(document.activeElement).toBe(second);
  await userEvent.keyboard("jk");
  expect(document.activeElement).toBe(first);
});

test("only rows added to those shown are marked as new", async () => {
  const { rerender } = await renderUi(table());
  const marked = () => rows().filter((row) => row.dataset.new !== undefined);
  expect(marked()).toEqual([]);
  rerender(table({ data: [{ imo: "9319466", records: 1 }, ...vessels] }));
  expect(marked().map((row) => row.dataset.row)).toEqual(["9319466"]);
  rerender(table({ data: [{ imo: "9241061", records: 1 }] }));
  expect(marked()).toEqual([]);
});

test("a short table has no row numbers and is no scrolling region", async () => {
  const { container } = await renderUi(table());
  expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBeNull();
  expect(within(container).queryByRole("region")).toBeNull();
});
