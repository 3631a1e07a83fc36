import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ReasonField, useRequiredReason } from "./reason-field";
import { renderUi } from "./test-render";

function Form({ onConfirm }: { onConfirm: (reason: string | undefined) => void }) {
  const { value, onChange, error, check } = useRequiredReason("Say why.");
  return (
    <>
      <ReasonField value={value} onChange={onChange} error={error} />
      <button type="button" onClick={() => onConfirm(check())}>
        Pause
      </button>
    </>
  );
}

test("a reason of blanks is none, and is asked for until something is typed", async () => {
  const onConfirm = vi.fn();
  await renderUi(<Form onConfirm={onConfirm} />);
  const field = screen.getByLabelText("Reason");
  await userEvent.type(field, "  ");
  await userEvent.click(screen.getByRole("button", { name: "Pause" }));
  expect(onConfirm).toHaveBeenLastCalledWith(undefined);
  expect(screen.getByText("Say why.")).toBeDefined();
  await userEvent.type(field, "dry dock ");
  expect(screen.queryByText("Say why.")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Pause" }));
  expect(onConfirm).toHaveBeenLastCalledWith("dry dock");
});

test("a reason is no longer than the service keeps it", async () => {
  await renderUi(<ReasonField value="" onChange={() => {}} error={undefined} />);
  expect(screen.getByLabelText("Reason").getAttribute("maxlength")).toBe("500");
});
