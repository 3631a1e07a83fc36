import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Finding, ValidationReport } from "../api/types";
import { FindingList } from "./finding-list";
import { renderUi } from "./test-render";

const finding: Finding = {
  code: "imo_number_check_digit",
  label: "MV Orion · IMO 9867607",
  message: "the check digit is wrong",
  pointer: "/imoNumber",
  recordType: "vessel",
  severity: "error",
  sourceId: "v-1",
};
const report = (findings: Finding[], total: number): ValidationReport => ({
  findings,
  pagination: { limit: 10, offset: 0, total },
  records: [],
  codes: [],
});

const show = (data: ValidationReport, page: number, onPage = vi.fn()) =>
  renderUi(
    <FindingList
      query={{ data, error: null, isError: false, refetch: vi.fn() }}
      page={page}
      pageSize={10}
      empty={<p>None</p>}
      onPage={onPage}
    />,
  );

test("findings are listed, and the first page has no number", async () => {
  const onPage = vi.fn();
  await show(report([finding], 12), 2, onPage);
  expect(screen.getByRole("row", { name: /MV Orion/ })).toBeDefined();
  expect(screen.getByText("11–12 of 12")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Newer" }));
  expect(onPage).toHaveBeenCalledWith(undefined);
});

test("a list without findings says so in the words of its page", async () => {
  await show(report([], 0), 1);
  expect(screen.getByText("None")).toBeDefined();
  expect(screen.queryByRole("table")).toBeNull();
});
