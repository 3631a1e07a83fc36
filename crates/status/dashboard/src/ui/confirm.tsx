import { Button, Drawer as MantineDrawer, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import { ProblemNote } from "./query-result";

/** Says what will happen, and does it only then. */
export function Confirm(props: {
  opened: boolean;
  title: string;
  children: ReactNode;
  /** What the button says: the deed, never "OK". */
  deed: string;
  /** What the other button says. */
  keep?: string;
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
        <Modal.Header renderRoot={(header) => <div {...header} />}>
          <Modal.Title>{props.title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>
          <div className="stack">
            {props.children}
            {props.error != null && <ProblemNote problem={asProblem(props.error)} />}
            <div className="actions end">
              <Button variant="default" onClick={props.onClose}>
                {props.keep ?? "Not now"}
              </Button>
              <Button
                data-autofocus
                loading={props.busy}
                onClick={props.onConfirm}
                {...(props.danger ? { className: "danger" } : {})}
              >
                {props.deed}
              </Button>
            </div>
          </div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/** A row's detail beside its list. */
export function Drawer(props: {
  opened: boolean;
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <MantineDrawer.Root opened={props.opened} onClose={props.onClose} position="right" size="lg">
      <MantineDrawer.Overlay />
      <MantineDrawer.Content>
        <MantineDrawer.Header renderRoot={(header) => <div {...header} />}>
          <MantineDrawer.Title>{props.title}</MantineDrawer.Title>
          <MantineDrawer.CloseButton aria-label="Close" />
        </MantineDrawer.Header>
        <MantineDrawer.Body>{props.children}</MantineDrawer.Body>
      </MantineDrawer.Content>
    </MantineDrawer.Root>
  );
}
