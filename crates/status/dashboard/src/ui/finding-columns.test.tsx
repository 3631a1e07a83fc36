import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Finding } from "../api/types";
import { findingColumns, findingKey } from "./finding-columns";
import { Table } from "./table";
import { renderUi } from "./test-render";

const finding = (part: Partial<Finding> = {}): Finding => ({
  code: "imo_number_check_digit",
  label: "MV Orion · IMO 9867607",
  message: "the check digit is wrong",
  pointer: "/imoNumber",
  recordType: "vessel",
  severity: "error",
  sourceId: "v-1",
  value: '"9867608"',
  ...part,
});

const show = (data: Finding[]) =>
  renderUi(<Table label="Findings" columns={findingColumns} data={data} rowKey={findingKey} />);

test("a finding names its record, field, value and reason", async () => {
  await show([finding()]);
  const row = screen.getByRole("row", { name: /MV Orion/ });
  for (const part of ["Rejected", "/imoNumber", '"9867608"', "check digit", "imo_number_check_digit"]) {
    expect(row.textContent).toContain(part);
  }
});

test("a record without a name and a finding without a field are said to be so", async () => {
  await show([finding({ label: null, pointer: "", value: null, severity: "warning" })]);
  const row = screen.getByRole("row", { name: /Unnamed vessel/ });
  expect(row.textContent).toContain("whole record");
  expect(row.textContent).toContain("Warning");
});
