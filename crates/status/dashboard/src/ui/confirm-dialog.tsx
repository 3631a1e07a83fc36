import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import styles from "./confirm-dialog.module.css";
import layout from "./layout.module.css";
import { ProblemNote } from "./problem-note";

/**
 * Says what an action will do, and does it only when confirmed. Enter confirms, except where `danger` puts the focus on the
 * button that changes nothing.
 */
export function ConfirmDialog(props: {
  opened: boolean;
  title: string;
  children: ReactNode;
  /** Names the action, never "OK". */
  confirmLabel: string;
  cancelLabel?: string;
  danger?: boolean;
  /** `md` for a form. */
  size?: "sm" | "md";
  busy: boolean;
  /** The action is not possible yet, or not at all. */
  disabled?: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Modal.Root opened={props.opened} onClose={props.onClose} centered size={props.size ?? "sm"}>
      <Modal.Overlay />
      <Modal.Content>
        {/* A <header> would be a second banner landmark. */}
        <Modal.Header renderRoot={(header) => <div {...header} />}>
          <Modal.Title>{props.title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>
          <form
            className={layout.stack}
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              // React passes the event on to a form around the dialog.
              event.stopPropagation();
              if (!props.busy && !props.disabled) props.onConfirm();
            }}
          >
            {props.children}
            {props.error != null && <ProblemNote problem={asProblem(props.error)} />}
            <div className={`${layout.actions} ${styles.buttons}`}>
              <Button
                variant="default"
                onClick={props.onClose}
                {...(props.danger ? { "data-autofocus": true } : {})}
              >
                {props.cancelLabel ?? "Cancel"}
              </Button>
              <Button
                type="submit"
                loading={props.busy}
                disabled={props.disabled ?? false}
                {...(props.danger ? { variant: "danger" } : { "data-autofocus": true })}
              >
                {props.confirmLabel}
              </Button>
            </div>
          </form>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
