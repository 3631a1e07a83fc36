import { Button, Menu } from "@mantine/core";
import { ChevronDown } from "lucide-react";
import type { Mode } from "../api/types";
import menu from "./menu.module.css";
import styles from "./start-sync.module.css";

/** What the dialog begins with. */
export interface Start {
  mode: Mode;
  dryRun: boolean;
}

const KINDS: (Start & { label: string; detail: string })[] = [
  {
    mode: "incremental",
    dryRun: false,
    label: "Changes only",
    detail: "What has changed since the last complete sync",
  },
  {
    mode: "selective",
    dryRun: false,
    label: "Choose records",
    detail: "Vessels, a company, equipment, record types",
  },
  { mode: "full", dryRun: true, label: "Dry run", detail: "Shows what would change, and writes nothing" },
];

/** The button beside "Start full sync", with a menu of the other kinds of syncs. */
export function StartMenu(props: {
  variant: string;
  defaultOpened: boolean;
  onChoose: (start: Start) => void;
}) {
  return (
    <Menu
      position="bottom-end"
      width={300}
      withinPortal={false}
      withInitialFocusPlaceholder={false}
      defaultOpened={props.defaultOpened}
    >
      <Menu.Target>
        <Button variant={props.variant} className={styles.more} aria-label="Start another kind of sync">
          <ChevronDown size={16} aria-hidden />
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={menu.menu} aria-label="Kinds of syncs">
        {KINDS.map(({ label, detail, ...kind }) => (
          <Menu.Item key={label} className={menu.item} onClick={() => props.onChoose(kind)}>
            <span className={styles.label}>{label}</span>
            <span className={styles.detail}>{detail}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
