import { Drawer as MantineDrawer } from "@mantine/core";
import type { ReactNode } from "react";

/** The details of a row, beside its list. */
export function Drawer(props: {
  opened: boolean;
  title: ReactNode;
  /** From the bottom of the window, as a menu on a phone. */
  isAtBottom?: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <MantineDrawer.Root
      opened={props.opened}
      onClose={props.onClose}
      position={props.isAtBottom ? "bottom" : "right"}
      size={props.isAtBottom ? "sm" : "lg"}
    >
      <MantineDrawer.Overlay />
      <MantineDrawer.Content>
        {/* A <header> would be a second banner landmark. */}
        <MantineDrawer.Header renderRoot={(header) => <div {...header} />}>
          <MantineDrawer.Title>{props.title}</MantineDrawer.Title>
          <MantineDrawer.CloseButton aria-label="Close" />
        </MantineDrawer.Header>
        <MantineDrawer.Body>{props.children}</MantineDrawer.Body>
      </MantineDrawer.Content>
    </MantineDrawer.Root>
  );
}
