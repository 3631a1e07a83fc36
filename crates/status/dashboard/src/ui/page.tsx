import { type ReactNode, useEffect } from "react";
import layout from "./layout.module.css";
import styles from "./page.module.css";

export function Page({
  title,
  actions,
  children,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · SMS Sync`;
  }, [title]);
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{title}</h1>
        {actions && <div className={layout.actions}>{actions}</div>}
      </div>
      {children}
    </div>
  );
}
