import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { SYNC_STATES } from "../format/states";
import { StateFilter } from "./state-filter";
import { renderUi } from "./test-render";

test("a state is selected, and all states again", async () => {
  const onChange = vi.fn();
  await renderUi(<StateFilter states={SYNC_STATES} value={undefined} onChange={onChange} />);
  const select = screen.getByRole("combobox", { name: "State" });
  await userEvent.selectOptions(select, "Failed");
  await userEvent.selectOptions(select, "All states");
  expect(onChange.mock.calls).toEqual([["failed"], [undefined]]);
});
