import { Modal } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { isDialogOpen } from "../ui/open-dialog";
import { PAGES } from "./pages";
import styles from "./shortcuts.module.css";

/** `g` and then a letter opens a page, `?` opens the help. Keys typed into fields and dialogs are ignored. */
export function usePageKeys(onHelp: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let goPressedAt = 0;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.closest("input, textarea, select") ||
        isDialogOpen()
      )
        return;
      if (event.key === "?") onHelp();
      const page = PAGES.find(({ key }) => key === event.key);
      if (page && Date.now() - goPressedAt < SEQUENCE_TIMEOUT) navigate({ to: page.to });
      goPressedAt = event.key === "g" ? Date.now() : 0;
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, onHelp]);
}

/** Longest pause between `g` and the letter, in ms. */
const SEQUENCE_TIMEOUT = 1500;

const KEYS: [keys: string[], action: string][] = [
  ...PAGES.map((page): [string[], string] => [
    ["g", page.key],
    "role" in page ? `${page.name} (admins)` : page.name,
  ]),
  [["j"], "Next row"],
  [["k"], "Previous row"],
  [["Enter"], "Open the row"],
  [["Esc"], "Close the dialog or drawer"],
  [["?"], "Show this help"],
];

export function Shortcuts({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size="xs" centered>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header renderRoot={(header) => <div {...header} />}>
          <Modal.Title>Keyboard shortcuts</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>
          <dl className={styles.keys}>
            {KEYS.map(([keys, action]) => (
              <div key={action}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key} className={styles.key}>
                      {key}
                    </kbd>
                  ))}
                </dt>
                <dd>{action}</dd>
              </div>
            ))}
          </dl>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
