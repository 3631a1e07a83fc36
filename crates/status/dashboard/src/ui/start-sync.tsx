import { Button, Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { Suspense, useState } from "react";
import { getOverview } from "../api/queries";
import { useHasRole } from "../api/session";
import type { Mode } from "../api/types";
import { lazyComponent } from "./lazy-component";
import styles from "./start-sync.module.css";

/** Its fields are not part of the first load. */
const StartDialog = lazyComponent(() => import("./start-dialog"), "StartDialog");

/** What the dialog begins with. */
interface Start {
  mode: Mode;
  dryRun: boolean;
}

const FULL: Start = { mode: "full", dryRun: false };
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

/** Starts a sync: a full one, or from a menu one of another kind. There is at most one full sync: a running one is linked. */
export function StartSync({ again = false }: { again?: boolean }) {
  const isOperator = useHasRole("operator");
  const navigate = useNavigate();
  const running = useQuery(getOverview()).data?.running.find((sync) => sync.mode === "full" && !sync.dryRun);
  const [start, setStart] = useState<Start | null>(null);
  const variant = again ? "default" : "filled";
  const open = (syncId: string) => {
    setStart(null);
    navigate({ to: "/syncs/$syncId", params: { syncId } });
  };
  const toRunning = running && (
    <Button
      variant="default"
      renderRoot={(props) => <Link to="/syncs/$syncId" params={{ syncId: running.syncId }} {...props} />}
    >
      View running sync
    </Button>
  );
  if (!isOperator) return toRunning;
  return (
    <span className={styles.split}>
      {toRunning ?? (
        <Button variant={variant} onClick={() => setStart(FULL)}>
          {again ? "Start another full sync" : "Start full sync"}
        </Button>
      )}
      <Menu position="bottom-end" width={300} withinPortal={false} withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button
            variant={running ? "default" : variant}
            className={styles.more}
            aria-label="Start another kind of sync"
          >
            <ChevronDown size={16} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown className={styles.menu} aria-label="Kinds of syncs">
          {KINDS.map(({ label, detail, ...kind }) => (
            <Menu.Item key={label} className={styles.item} onClick={() => setStart(kind)}>
              <span className={styles.label}>{label}</span>
              <span className={styles.detail}>{detail}</span>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {start && (
        <Suspense>
          <StartDialog
            key={`${start.mode} ${start.dryRun}`}
            start={start}
            onStarted={open}
            onClose={() => setStart(null)}
          />
        </Suspense>
      )}
    </span>
  );
}
