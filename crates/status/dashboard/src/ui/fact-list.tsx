import type { ReactNode } from "react";

/** Names and values. `wide`: in columns where the width allows. */
export function FactList({ wide = false, children }: { wide?: boolean; children: ReactNode }) {
  return <dl className={wide ? "facts wide" : "facts"}>{children}</dl>;
}

export function Fact({ name, title, children }: { name: string; title?: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={title}>{children}</dd>
    </div>
  );
}
