import { Modal } from "@mantine/core";
import { PAGES } from "./pages";
import styles from "./shortcuts.module.css";

const KEYS: [keys: string[], action: string][] = [
  [["/"], "Search, and open pages by name"],
  [["Ctrl", "K"], "The same, also within a field"],
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

/** All shortcuts. */
export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Modal.Root opened onClose={onClose} size="xs" centered>
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
