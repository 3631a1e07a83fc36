import { type ReactNode, useEffect } from "react";
import type { Verdict as Said } from "../format/sync";

/** A page: its title, what one can do there, and its content. */
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
    <div className="page">
      <div className="page-head">
        <h1>{title}</h1>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** The sentence and the figure that a page opens with. A figure that ticks is given beside. */
export function Verdict(props: {
  of: Said;
  figure?: { value: ReactNode; unit: ReactNode };
  children?: ReactNode;
}) {
  const { tone, sentence, detail } = props.of;
  const { children, figure = props.of.figure } = props;
  return (
    <section className="verdict" data-tone={tone} aria-label="Verdict">
      <div>
        <p className="verdict-sentence">{sentence}</p>
        <p className="verdict-detail">
          {detail}
          {children && <> {children}</>}
        </p>
      </div>
      {figure && (
        <p className="verdict-figure">
          <span className="verdict-value">{figure.value}</span>
          <span>{figure.unit}</span>
        </p>
      )}
    </section>
  );
}

export function Card({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="card">
      <div className="card-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Nothing is here: what will fill it, and how. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      <p className="dim">{children}</p>
    </div>
  );
}

/** Said to screen readers when it changes, and only then. */
export function Announce({ text }: { text: string }) {
  return (
    <div role="status" className="sr-only">
      {text}
    </div>
  );
}
