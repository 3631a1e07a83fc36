import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RecordPicker } from "./record-picker";
import { renderUi } from "./test-render";

const fetch = vi.fn<(request: Request) => Promise<Response>>();
beforeEach(() => {
  vi.stubGlobal("fetch", fetch);
});
afterEach(() => {
  vi.unstubAllGlobals();
  fetch.mockReset();
});

const hit = (id: string, title: string, standing = "active") => ({
  id,
  title,
  matched: "name",
  link: `/api/sync/records/vessel/${id}`,
  standing,
});

function Picker({ onKeys }: { onKeys: (keys: string[]) => void }) {
  const [value, setValue] = useState<string[]>(["9867607"]);
  const change = (keys: string[]) => {
    setValue(keys);
    onKeys(keys);
  };
  return <RecordPicker kind="vessel" label="Vessels" value={value} onChange={change} />;
}

test("vessels are found by name and picked by IMO number, withdrawn ones are not offered", async () => {
  const hits = [
    hit("v-1", "Nordhavn Orion · IMO 9074729"),
    hit("v-2", "Nordhavn Old · IMO 9241061", "withdrawn"),
  ];
  const body = {
    query: "nord",
    cutShort: false,
    groups: [{ kind: "vessel", hits, more: false, cutShort: false }],
  };
  fetch.mockImplementation(async () => Response.json(body));
  const onKeys = vi.fn();
  await renderUi(<Picker onKeys={onKeys} />);
  expect(screen.getByText("IMO 9867607")).toBeDefined();
  await userEvent.type(screen.getByRole("combobox", { name: "Vessels" }), "nord");
  await userEvent.click(await screen.findByRole("option", { name: "Nordhavn Orion · IMO 9074729" }));
  await waitFor(() => expect(onKeys).toHaveBeenCalledWith(["9867607", "9074729"]));
  expect(screen.queryByText(/Nordhavn Old/)).toBeNull();
  expect(screen.getByText("Nordhavn Orion · IMO 9074729")).toBeDefined();
});
