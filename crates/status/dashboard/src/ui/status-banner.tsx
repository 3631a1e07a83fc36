import type { ReactNode } from "react";
import type { Status } from "../format/status";

/** The status line that a page opens with. `figure` replaces the status's own where a component shows it (a time, say). */
export function StatusBanner(props: {
  status: Status;
  figure?: { value: ReactNode; unit: ReactNode };
  children?: ReactNode;
}) {
  const { tone, headline, detail } = props.status;
  const { children, figure = props.status.figure } = props;
  return (
    <section className="verdict" data-tone={tone} aria-label="Status">
      <div>
        <p className="verdict-sentence">{headline}</p>
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
