import { VisuallyHidden } from "@mantine/core";

/** A text for screen readers only, read out when it changes. */
export function Announcement({ text }: { text: string }) {
  return (
    <VisuallyHidden component="div" role="status">
      {text}
    </VisuallyHidden>
  );
}
