import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { asProblem, type Problem } from "../api/problem";
import { Copy } from "./copyable-id";
import { Empty } from "./page";

/** A question's answer once it is there; its place kept while it is not; the problem if there is one. */
export function Answer<T>(props: {
  of: Pick<UseQueryResult<T>, "data" | "error" | "isError" | "refetch">;
  /** Height of what will come, so that nothing jumps. */
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  const { of, lines = 4, children } = props;
  if (of.data !== undefined) {
    return (
      <>
        {of.isError && <ProblemNote problem={asProblem(of.error)} stale onRetry={() => of.refetch()} />}
        {children(of.data)}
      </>
    );
  }
  if (of.isError) {
    const problem = asProblem(of.error);
    if (problem.status === 404) {
      return (
        <Empty title={problem.title}>{problem.detail ?? "It may have been mistyped, or is gone."}</Empty>
      );
    }
    return <ProblemNote problem={problem} onRetry={() => of.refetch()} />;
  }
  return <Waiting lines={lines} />;
}

function Waiting({ lines }: { lines: number }) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={slow ? "waiting slow" : "waiting"} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => line).map((line) => (
        <div key={line} className="waiting-line" />
      ))}
    </div>
  );
}

/** A problem as a person needs it: what, why, what to quote, and again. */
export function ProblemNote(props: { problem: Problem; stale?: boolean; onRetry?: () => void }) {
  const { problem, stale, onRetry } = props;
  return (
    <div className="note" data-tone="bad" role="alert">
      <div>
        <p className="note-title">{problem.title}</p>
        {problem.detail && <p>{problem.detail}</p>}
        {stale && <p className="dim">What you see below is the last good answer.</p>}
        {problem.traceId && (
          <p className="dim">
            Trace <Copy text={problem.traceId} short={16} what="trace id" />
          </p>
        )}
      </div>
      {onRetry && (
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
