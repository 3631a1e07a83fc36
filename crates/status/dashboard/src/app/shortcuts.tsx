import { Modal } from "@mantine/core";
import { useFleetPart } from "../api/session";
import { usePages } from "./pages";
import styles from "./shortcuts.module.css";

type Key = [keys: string[], action: string];

const SEARCH_KEYS: Key[] = [
  [["/"], "Search, and open pages by name"],
  [["Ctrl", "K"], "The same, also within a field"],
];

const OTHER_KEYS: Key[] = [
  [["j"], "Next row"],
  [["k"], "Previous row"],
  [["Enter"], "Open the row"],
  [["Esc"], "Close the dialog or drawer"],
  [["?"], "Show this help"],
];

/** All shortcuts that the operator can use. */
export function Shortcuts({ onClose }: { onClose: () => void }) {
  const isForWhole = useFleetPart() === null;
  const pages = usePages().map(({ key, name }): Key => [["g", key], name]);
  const shown = [...(isForWhole ? SEARCH_KEYS : []), ...pages, ...OTHER_KEYS];
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
            {shown.map(([keys, action]) => (
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
