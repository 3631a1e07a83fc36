import { Button } from "@mantine/core";
import type { Problem } from "../api/problem";
import { CopyableId } from "./copyable-id";
import { Note } from "./note";
import text from "./text.module.css";

/** An error with its cause, its trace id to quote, and a retry. `stale`: older data is still shown below. */
export function ProblemNote(props: { problem: Problem; stale?: boolean; onRetry?: () => void }) {
  const { problem, stale, onRetry } = props;
  return (
    <Note
      tone="bad"
      role="alert"
      title={problem.title}
      actions={
        onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Retry
          </Button>
        )
      }
    >
      {problem.detail && (
        <p>
          <bdi>{problem.detail}</bdi>
        </p>
      )}
      {stale && <p className={text.dim}>The data below is from the last successful request.</p>}
      {problem.traceId && (
        <p className={text.dim}>
          Trace ID <CopyableId text={problem.traceId} length={16} name="trace ID" />
        </p>
      )}
    </Note>
  );
}
