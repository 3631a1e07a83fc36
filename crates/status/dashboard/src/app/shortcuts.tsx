import { Modal } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";

const PAGES = { o: "/", s: "/syncs", r: "/records", d: "/dead-letters", e: "/settings" } as const;

/** `g` and then a letter opens a page; `?` shows what the keys do. Keys typed into a field are the field's. */
export function usePageKeys(onHelp: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let armed = 0;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.closest("input, textarea, select, [role=dialog]")
      )
        return;
      if (event.key === "?") onHelp();
      const page = PAGES[event.key as keyof typeof PAGES];
      if (page && Date.now() - armed < 1500) navigate({ to: page });
      armed = event.key === "g" ? Date.now() : 0;
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, onHelp]);
}

const KEYS: [keys: string[], what: string][] = [
  [["g", "o"], "Overview"],
  [["g", "s"], "Syncs"],
  [["g", "r"], "Records"],
  [["g", "d"], "Dead letters"],
  [["g", "e"], "Settings"],
  [["j"], "Next row"],
  [["k"], "Row before"],
  [["Enter"], "Open the row"],
  [["Esc"], "Close what is open"],
  [["?"], "This help"],
];

export function Shortcuts({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size="xs" centered>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header renderRoot={(header) => <div {...header} />}>
          <Modal.Title>Keyboard</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>
          <dl className="keys">
            {KEYS.map(([keys, what]) => (
              <div key={what}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
