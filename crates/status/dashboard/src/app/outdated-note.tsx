import { Button } from "@mantine/core";
import { Note } from "../ui/note";
import { useIsOutdated } from "../ui/use-outdated";
import styles from "./connection.module.css";

/** Says that the service was replaced by another version while this page was open. */
export function OutdatedNote() {
  return useIsOutdated() ? (
    <Note
      tone="warn"
      role="status"
      className={styles.note}
      actions={
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          Reload
        </Button>
      }
    >
      This page is older than the service, which was updated meanwhile. Reload the page to use its present
      version.
    </Note>
  ) : null;
}
