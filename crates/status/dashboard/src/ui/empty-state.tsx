import type { ReactNode } from "react";

/** An empty list: its title says what is missing, its text what will fill it. */
export function EmptyState({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      <p className="dim">{children}</p>
    </div>
  );
}
