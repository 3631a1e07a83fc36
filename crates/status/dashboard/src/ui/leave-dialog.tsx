import { useBlocker } from "@tanstack/react-router";
import { plural } from "../format/numbers";
import { ConfirmDialog } from "./confirm-dialog";

/** Asks before a form with unsaved changes is left. `of`: what was edited, `the settings`. */
export function LeaveDialog({ changes, of }: { changes: number; of: string }) {
  const isDirty = changes > 0;
  const blocker = useBlocker({
    // Another time zone of the page's times leaves no form.
    shouldBlockFn: ({ current, next }) =>
      isDirty &&
      (current.pathname !== next.pathname || withoutZone(current.search) !== withoutZone(next.search)),
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      opened={blocker.status === "blocked"}
      title="Leave without saving?"
      confirmLabel="Leave without saving"
      cancelLabel="Keep editing"
      danger
      busy={false}
      error={null}
      onClose={() => blocker.reset?.()}
      onConfirm={() => blocker.proceed?.()}
    >
      <p>
        {plural(changes, "unsaved change")} to {of} would be lost.
      </p>
    </ConfirmDialog>
  );
}

const withoutZone = (search: object): string => JSON.stringify({ ...search, zone: undefined });
