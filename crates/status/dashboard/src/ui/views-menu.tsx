import { Button, Menu, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { Bookmark, Check, ChevronDown } from "lucide-react";
import { useState } from "react";
import {
  isFiltered,
  LIST_PAGES,
  type ListPage,
  nameFault,
  sameFilter,
  VIEW_NAME_LIMIT,
  type ViewFilter,
  viewFilter,
} from "../format/saved-views";
import { ConfirmDialog } from "./confirm-dialog";
import { copyText } from "./copy-text";
import menu from "./menu.module.css";
import { addView, useSavedViews } from "./saved-views";
import text from "./text.module.css";
import { ViewsDialog } from "./views-dialog";
import styles from "./views-menu.module.css";

/** The saved views of a list: opens one, saves the filters that are set, copies a link to them. */
export function ViewsMenu({ page }: { page: ListPage }) {
  const navigate = useNavigate();
  const filter = useLocation({ select: ({ search }) => viewFilter(search) });
  const views = useSavedViews();
  const [dialog, setDialog] = useState<"save" | "manage" | null>(null);
  const ofPage = views.filter((view) => view.page === page);
  const current = ofPage.find((view) => sameFilter(view.filter, filter));
  const copyLink = async () => {
    await copyText(location.href);
    notifications.show({
      title: "Link copied",
      message: "It opens this list with these filters.",
      color: "green",
    });
  };
  return (
    <>
      <Menu position="bottom-end" width={280} withinPortal={false} withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button
            variant="default"
            leftSection={<Bookmark size={15} aria-hidden />}
            rightSection={<ChevronDown size={15} aria-hidden />}
            classNames={{ label: styles.target ?? "" }}
          >
            {current ? <bdi>{current.name}</bdi> : "Views"}
          </Button>
        </Menu.Target>
        <Menu.Dropdown className={menu.menu} aria-label={`Saved views of ${LIST_PAGES[page]}`}>
          {ofPage.map((view) => (
            <Menu.Item
              key={view.name}
              className={menu.item}
              rightSection={view === current && <Check size={15} aria-label="shown" />}
              onClick={() => navigate({ to: page, search: withZone(view.filter) as never })}
            >
              <bdi className={text.breakAnywhere}>{view.name}</bdi>
            </Menu.Item>
          ))}
          {ofPage.length > 0 && <Menu.Divider />}
          {isFiltered(filter) && !current && (
            <Menu.Item className={menu.item} onClick={() => setDialog("save")}>
              Save this view
            </Menu.Item>
          )}
          {!isFiltered(filter) && ofPage.length === 0 && (
            <p className={styles.hint}>Set filters, then save them here under a name.</p>
          )}
          <Menu.Item className={menu.item} onClick={copyLink}>
            Copy link to this view
          </Menu.Item>
          {views.length > 0 && (
            <Menu.Item className={menu.item} onClick={() => setDialog("manage")}>
              Manage saved views
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog === "save" && <SaveDialog page={page} filter={filter} onClose={() => setDialog(null)} />}
      {dialog === "manage" && <ViewsDialog onClose={() => setDialog(null)} />}
    </>
  );
}

/** The zone of the page's times stays as it is. */
const withZone = (filter: ViewFilter) => (old: { zone?: unknown }) => ({
  ...filter,
  ...(old.zone ? { zone: old.zone } : {}),
});

function SaveDialog(props: { page: ListPage; filter: ViewFilter; onClose: () => void }) {
  const { page, filter, onClose } = props;
  const views = useSavedViews();
  const [name, setName] = useState("");
  const [fault, setFault] = useState<string>();
  const save = () => {
    const found = nameFault(name, page, views) ?? addView({ name: name.trim(), page, filter });
    if (found) setFault(found);
    else onClose();
  };
  return (
    <ConfirmDialog
      opened
      title="Save this view"
      confirmLabel="Save view"
      busy={false}
      error={null}
      onConfirm={save}
      onClose={onClose}
    >
      <TextInput
        label="Name"
        description="The view is kept in this browser, and listed in the search too."
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
          setFault(undefined);
        }}
        error={fault}
        maxLength={VIEW_NAME_LIMIT}
        autoComplete="off"
        data-autofocus
      />
    </ConfirmDialog>
  );
}
