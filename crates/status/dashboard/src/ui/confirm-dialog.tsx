import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import styles from "./confirm-dialog.module.css";
import layout from "./layout.module.css";
import { ProblemNote } from "./problem-note";

/** Says what an action will do, and does it only when confirmed. */
export function ConfirmDialog(props: {
  opened: boolean;
  title: string;
  children: ReactNode;
  /** Names the action, never "OK". */
  confirmLabel: string;
  cancelLabel?: string;
  danger?: boolean;
  busy: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Modal.Root opened={props.opened} onClose={props.onClose} centered size="sm">
      <Modal.Overlay />
      <Modal.Content>
        {/* A <header> would be a second banner landmark. */}
        <Modal.Header renderRoot={(header) => <div {...header} />}>
          <Modal.Title>{props.title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>
          <div className={layout.stack}>
            {props.children}
            {props.error != null && <ProblemNote problem={asProblem(props.error)} />}
            <div className={`${layout.actions} ${styles.buttons}`}>
              <Button variant="default" onClick={props.onClose}>
                {props.cancelLabel ?? "Cancel"}
              </Button>
              <Button
                data-autofocus
                loading={props.busy}
                onClick={props.onConfirm}
                {...(props.danger ? { variant: "danger" } : {})}
              >
                {props.confirmLabel}
              </Button>
            </div>
          </div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
