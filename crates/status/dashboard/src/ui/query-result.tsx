import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { asProblem } from "../api/problem";
import { EmptyState } from "./empty-state";
import { ProblemNote } from "./problem-note";
import styles from "./query-result.module.css";

/** Renders a query's data; a skeleton while it loads, the problem when it fails. */
export function QueryResult<T>(props: {
  query: Pick<UseQueryResult<T>, "data" | "error" | "isError" | "refetch">;
  /** Height of the skeleton in lines, so that the layout does not jump. */
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  const { query, lines = 4, children } = props;
  const retry = () => query.refetch();
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <ProblemNote problem={asProblem(query.error)} stale onRetry={retry} />}
        {children(query.data)}
      </>
    );
  }
  if (!query.isError) return <Skeleton lines={lines} />;
  const problem = asProblem(query.error);
  if (problem.status === 404) {
    return (
      <EmptyState framed title={problem.title}>
        {problem.detail ?? "The address is wrong, or the item was deleted."}
      </EmptyState>
    );
  }
  return <ProblemNote problem={problem} onRetry={retry} />;
}

/** A shorter wait shows no skeleton, so that fast responses do not flicker. */
const SKELETON_DELAY = 200;

/** The place of what is loading. */
export function Skeleton({ lines }: { lines: number }) {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setVisible(true), SKELETON_DELAY);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className={styles.skeleton} data-visible={visible || undefined} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => line).map((line) => (
        <div key={line} className={styles.line} />
      ))}
    </div>
  );
}
