import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import { Drawer } from "../ui/drawer";
import { columnsOf, rowLink, Table } from "../ui/table";
import { renderUi } from "../ui/test-render";
import { usePageKeys } from "./page-keys";

const column = columnsOf<{ id: string }>();
const columns = [
  column.display({
    id: "id",
    header: "Id",
    cell: ({ row }) => (
      <a href="/row" {...rowLink}>
        {row.original.id}
      </a>
    ),
  }),
];

function ListWithDrawer(keys: { onHelp: () => void; onSearch: () => void }) {
  usePageKeys(keys);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Open
      </button>
      <Table label="Rows" columns={columns} data={[{ id: "a" }]} rowKey={(row) => row.id} linked />
      <Drawer opened={isOpen} title="Row" onClose={() => setOpen(false)}>
        Details
      </Drawer>
    </>
  );
}

test("keys move rows and open the help, but not behind an open drawer", async () => {
  const onHelp = vi.fn();
  const onSearch = vi.fn();
  await renderUi(<ListWithDrawer onHelp={onHelp} onSearch={onSearch} />);
  await userEvent.keyboard("j?");
  expect(document.activeElement?.textContent).toBe("a");
  expect(onHelp).toHaveBeenCalledOnce();
  await userEvent.keyboard("/{Control>}k{/Control}");
  expect(onSearch).toHaveBeenCalledTimes(2);
  await userEvent.click(screen.getByRole("button", { name: "Open" }));
  await screen.findByRole("dialog", { name: "Row" });
  // The focus may have left the drawer, as after a click on its text.
  act(() => (document.activeElement as HTMLElement).blur());
  await userEvent.keyboard("j?/");
  expect(document.activeElement?.textContent).not.toBe("a");
  expect(onHelp).toHaveBeenCalledOnce();
  expect(onSearch).toHaveBeenCalledTimes(2);
});
