import { type ReactNode, useEffect } from "react";
import type { Tone } from "../format/states";

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

/** The sentence that a page opens with. */
export function Verdict(props: { tone: Tone; sentence: string; children?: ReactNode; aside?: ReactNode }) {
  return (
    <section className="verdict" data-tone={props.tone} aria-label="Verdict">
      <div>
        <p className="verdict-sentence">{props.sentence}</p>
        {props.children && <div className="verdict-detail">{props.children}</div>}
      </div>
      {props.aside && <div className="verdict-aside">{props.aside}</div>}
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
