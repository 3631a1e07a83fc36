import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { filterText, LIST_PAGES, nameFault, type SavedView, VIEW_NAME_LIMIT } from "../format/saved-views";
import { Note } from "./note";
import { deleteView, renameView, useSavedViews } from "./saved-views";
import text from "./text.module.css";
import styles from "./views-dialog.module.css";

/** All saved views of this browser, to rename and to delete. */
export function ViewsDialog({ onClose }: { onClose: () => void }) {
  const views = useSavedViews();
  return (
    <Modal.Root opened onClose={onClose} centered size="md">
      <Modal.Overlay />
      <Modal.Content>
        {/* A <header> would be a second banner landmark. */}
        <Modal.Header renderRoot={(header) => <div {...header} />}>
          <Modal.Title>Saved views</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>
          {views.length === 0 ? (
            <p className={text.dim}>No saved views in this browser.</p>
          ) : (
            <ul>
              {views.map((view) => (
                <ViewRow key={`${view.page} ${view.name}`} view={view} views={views} />
              ))}
            </ul>
          )}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function ViewRow({ view, views }: { view: SavedView; views: SavedView[] }) {
  const [mode, setMode] = useState<"read" | "rename" | "delete">("read");
  const [name, setName] = useState(view.name);
  const [fault, setFault] = useState<string>();
  const read = () => {
    setMode("read");
    setName(view.name);
    setFault(undefined);
  };
  const rename = () => {
    const found = nameFault(name, view.page, views, view) ?? renameView(view, name.trim());
    if (found) setFault(found);
    else read();
  };
  return (
    <li className={styles.row}>
      {mode === "rename" ? (
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            rename();
          }}
        >
          <TextInput
            className={styles.field}
            aria-label={`New name of ${view.name}`}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
              setFault(undefined);
            }}
            error={fault}
            maxLength={VIEW_NAME_LIMIT}
            autoComplete="off"
            autoFocus
          />
          <Button type="submit">Rename</Button>
          <Button variant="default" onClick={read}>
            Cancel
          </Button>
        </form>
      ) : (
        <>
          <div className={styles.view}>
            <bdi className={`${text.strong} ${text.breakAnywhere}`}>{view.name}</bdi>
            <p className={`${text.dim} ${text.breakAnywhere}`}>
              {LIST_PAGES[view.page]}, {filterText(view.filter)}
            </p>
          </div>
          {mode === "delete" ? (
            <>
              <Button size="xs" variant="danger" onClick={() => setFault(deleteView(view))}>
                Delete “{view.name}”
              </Button>
              <Button size="xs" variant="default" onClick={read} autoFocus>
                Keep
              </Button>
            </>
          ) : (
            <>
              <Button
                size="xs"
                variant="default"
                aria-label={`Rename ${view.name}`}
                onClick={() => setMode("rename")}
              >
                Rename
              </Button>
              <Button
                size="xs"
                variant="default"
                aria-label={`Delete ${view.name}`}
                onClick={() => setMode("delete")}
              >
                Delete
              </Button>
            </>
          )}
          {fault && (
            <Note tone="bad" role="alert">
              {fault}
            </Note>
          )}
        </>
      )}
    </li>
  );
}
