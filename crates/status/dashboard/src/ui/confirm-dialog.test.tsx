import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { FormEvent } from "react";
import { expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import { ConfirmDialog } from "./confirm-dialog";
import { renderUi } from "./test-render";

const dialog = (part: Partial<Parameters<typeof ConfirmDialog>[0]> = {}) => {
  const onConfirm = vi.fn();
  const onClose = vi.fn();
  const ui = (
    <ConfirmDialog
      opened
      title="Cancel sync?"
      confirmLabel="Cancel sync"
      busy={false}
      error={null}
      onConfirm={onConfirm}
      onClose={onClose}
      {...part}
    >
      <p>Records already written are kept.</p>
    </ConfirmDialog>
  );
  return { ui, onConfirm, onClose };
};

test("the action runs only when it is confirmed", async () => {
  const { ui, onConfirm, onClose } = dialog({ cancelLabel: "Keep running" });
  await renderUi(ui);
  expect(screen.getByRole("dialog", { name: "Cancel sync?" })).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Keep running" }));
  expect([onConfirm.mock.calls.length, onClose.mock.calls.length]).toEqual([0, 1]);
  await userEvent.click(screen.getByRole("button", { name: "Cancel sync" }));
  expect(onConfirm).toHaveBeenCalledOnce();
});

test("an error is shown and the dialog stays open", async () => {
  const error = new Problem({ status: 409, title: "Already ended", code: "conflict" });
  await renderUi(dialog({ error }).ui);
  expect(screen.getByRole("alert").textContent).toContain("Already ended");
});

test("a closed dialog renders nothing", async () => {
  await renderUi(dialog({ opened: false }).ui);
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("Enter in a field of the dialog confirms", async () => {
  const onConfirm = vi.fn();
  await renderUi(
    <ConfirmDialog
      opened
      title="Start a full sync?"
      confirmLabel="Start"
      busy={false}
      error={null}
      onConfirm={onConfirm}
      onClose={() => {}}
    >
      <input aria-label="Reason" />
    </ConfirmDialog>,
  );
  await userEvent.type(screen.getByLabelText("Reason"), "storm{Enter}");
  expect(onConfirm).toHaveBeenCalledOnce();
});

test("Enter on a dangerous dialog as it opens changes nothing", async () => {
  const { ui, onConfirm, onClose } = dialog({ danger: true });
  await renderUi(ui);
  await waitFor(() => expect(document.activeElement?.textContent).toBe("Cancel"));
  await userEvent.keyboard("{Enter}");
  expect([onConfirm.mock.calls.length, onClose.mock.calls.length]).toEqual([0, 1]);
});

test("the form of a dialog does not submit the form around it", async () => {
  const onSubmit = vi.fn((event: FormEvent) => event.preventDefault());
  const { ui, onConfirm } = dialog();
  await renderUi(<form onSubmit={onSubmit}>{ui}</form>);
  await userEvent.click(screen.getByRole("button", { name: "Cancel sync" }));
  expect([onConfirm.mock.calls.length, onSubmit.mock.calls.length]).toEqual([1, 0]);
});

test("an action that is not possible cannot be confirmed", async () => {
  const { ui, onConfirm } = dialog({ disabled: true });
  await renderUi(ui);
  await userEvent.click(screen.getByRole("button", { name: "Cancel sync" }));
  expect(onConfirm).not.toHaveBeenCalled();
});
