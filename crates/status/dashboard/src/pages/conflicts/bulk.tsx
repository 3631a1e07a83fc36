import { Button, NativeSelect } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { createContext, useContext, useState } from "react";
import { useResolveConflicts } from "../../api/queries/conflicts";
import type { Conflict } from "../../api/types";
import { formatCount, plural } from "../../format/numbers";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import { RecordNames } from "../../ui/record-names";
import styles from "./conflicts.module.css";

/** The selected conflicts, for the cells of the list; null where none can be selected. */
export const SelectionContext = createContext<{
  selected: ReadonlySet<string>;
  toggle: (id: string) => void;
} | null>(null);

/** The check box of a row. */
export function SelectConflict({ conflict }: { conflict: Conflict }) {
  const selection = useContext(SelectionContext);
  if (!selection) return null;
  return (
    <label className={styles.checkArea}>
      <input
        type="checkbox"
        className={styles.check}
        aria-label={`Select ${conflict.label ?? conflict.sourceId}`}
        checked={selection.selected.has(conflict.id)}
        onChange={() => selection.toggle(conflict.id)}
      />
    </label>
  );
}

type Decision = "keep" | "local" | "source";
const DECISIONS: Record<Decision, string> = {
  keep: "Keep as they are",
  local: "Use maintenance portal",
  source: "Use onboarding portal",
};

/** Resolves the selected conflicts in the same way, after saying which they are and what else it does. */
export function BulkResolve(props: {
  shown: Conflict[];
  selected: ReadonlySet<string>;
  onSelect: (ids: string[]) => void;
}) {
  const { shown, selected, onSelect } = props;
  const [isOpen, setOpen] = useState(false);
  const [decision, setDecision] = useState<Decision>("keep");
  const conflicts = shown.filter((conflict) => selected.has(conflict.id));
  const count = conflicts.length;
  const areAll = count === shown.length;
  const withdrawals = conflicts.filter((conflict) => conflict.withdrawal?.side === decision).length;
  const resolve = useResolveConflicts(({ resolved, refused }) => {
    onSelect(refused.map(({ id }) => id));
    if (refused.length > 0) return;
    close();
    notifications.show({
      title: `${plural(resolved, "conflict")} resolved`,
      message: DECISIONS[decision],
      color: "green",
    });
  });
  const close = () => {
    setOpen(false);
    resolve.reset();
  };
  const confirm = () =>
    resolve.mutate({ ids: conflicts.map((conflict) => conflict.id), resolution: decision });
  return (
    <div className={styles.bulk}>
      <Button
        size="xs"
        variant="default"
        onClick={() => onSelect(areAll ? [] : shown.map((conflict) => conflict.id))}
      >
        {areAll ? "Select none" : `Select all ${formatCount(shown.length)} on this page`}
      </Button>
      {count > 0 && (
        <Button size="xs" onClick={() => setOpen(true)}>
          Resolve {plural(count, "conflict")}
        </Button>
      )}
      <ConfirmDialog
        opened={isOpen}
        title={`Resolve ${plural(count, "conflict")}?`}
        confirmLabel={`Resolve ${plural(count, "conflict")}`}
        danger={withdrawals > 0}
        busy={resolve.isPending}
        disabled={count === 0}
        error={resolve.error}
        onClose={close}
        onConfirm={confirm}
      >
        <div className={layout.stack}>
          <NativeSelect
            label="Decision"
            data={Object.entries(DECISIONS).map(([value, label]) => ({ value, label }))}
            value={decision}
            onChange={(event) => setDecision(event.currentTarget.value as Decision)}
          />
          {withdrawals > 0 && (
            <Note tone="bad" title={`${plural(withdrawals, "record")} of them would be withdrawn`} />
          )}
          {resolve.data && resolve.data.refused.length > 0 && (
            <Note
              tone="warn"
              role="status"
              title={`${formatCount(resolve.data.resolved)} resolved, ${formatCount(resolve.data.refused.length)} refused`}
            >
              <p>
                The refused conflicts are below. A record that has changed meanwhile has another conflict:
                open it and decide again.
              </p>
            </Note>
          )}
          <RecordNames names={conflicts.map(({ label, sourceId }) => label ?? sourceId)} total={count} />
        </div>
      </ConfirmDialog>
    </div>
  );
}
