/** A text for screen readers only, read out when it changes. */
export function Announcement({ text }: { text: string }) {
  return (
    <div role="status" className="sr-only">
      {text}
    </div>
  );
}
