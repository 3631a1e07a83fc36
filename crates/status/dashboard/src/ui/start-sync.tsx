import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { Suspense, useState } from "react";
import { getOverview } from "../api/queries/overview";
import { useHasRole } from "../api/session";
import { lazyComponent, useLoadedWhenIdle } from "./lazy-component";
import type { Start } from "./start-menu";
import styles from "./start-sync.module.css";

/** What opens on a click is not part of the first load. */
const StartDialog = lazyComponent(() => import("./start-dialog"), "StartDialog");

const StartMenu = lazyComponent(() => import("./start-menu"), "StartMenu");

const FULL: Start = { mode: "full", dryRun: false };

/** Starts a sync: a full one, or from a menu one of another kind. There is at most one full sync: a running one is linked. */
export function StartSync({ again = false }: { again?: boolean }) {
  const isOperator = useHasRole("operator");
  const navigate = useNavigate();
  const running = useQuery(getOverview()).data?.running.find((sync) => sync.mode === "full" && !sync.dryRun);
  const [start, setStart] = useState<Start | null>(null);
  const hasMenu = useLoadedWhenIdle(StartMenu);
  // It was clicked before its file was there.
  const [isMenuWanted, setMenuWanted] = useState(false);
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
  const moreButton = (
    <Button
      variant={running ? "default" : variant}
      className={styles.more}
      aria-label="Start another kind of sync"
      aria-haspopup="menu"
      aria-expanded={false}
      onClick={() => setMenuWanted(true)}
    >
      <ChevronDown size={16} aria-hidden />
    </Button>
  );
  return (
    <span className={styles.split}>
      {toRunning ?? (
        <Button variant={variant} onClick={() => setStart(FULL)}>
          {again ? "Start another full sync" : "Start full sync"}
        </Button>
      )}
      {hasMenu || isMenuWanted ? (
        <Suspense fallback={moreButton}>
          <StartMenu
            variant={running ? "default" : variant}
            defaultOpened={isMenuWanted}
            onChoose={setStart}
          />
        </Suspense>
      ) : (
        moreButton
      )}
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
