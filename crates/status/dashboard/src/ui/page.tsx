import { useLocation } from "@tanstack/react-router";
import { type ReactNode, Suspense, useEffect } from "react";
import { isListPage } from "../format/saved-views";
import layout from "./layout.module.css";
import { lazyComponent } from "./lazy-component";
import styles from "./page.module.css";

const ViewsMenu = lazyComponent(() => import("./views-menu"), "ViewsMenu");

/** A page with its title and actions. A list has its saved views before the actions, unless `hasViews` says no. */
export function Page(props: { title: string; actions?: ReactNode; hasViews?: boolean; children: ReactNode }) {
  const { title, actions, hasViews = true, children } = props;
  const path = useLocation({ select: ({ pathname }) => pathname });
  const hasMenu = hasViews && isListPage(path);
  useEffect(() => {
    document.title = `${title} · SMS Sync`;
  }, [title]);
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{title}</h1>
        {(actions || hasMenu) && (
          <div className={layout.actions}>
            {hasMenu && (
              <Suspense>
                <ViewsMenu page={path} />
              </Suspense>
            )}
            {actions}
          </div>
        )}
      </div>
      {children}
    </div>
  );
}
