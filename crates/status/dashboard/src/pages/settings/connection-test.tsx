import { Button } from "@mantine/core";
import { asProblem } from "../../api/problem";
import { useTestConnection } from "../../api/queries";
import { formatDuration } from "../../format/times";
import { Icon } from "../../ui/icon";
import { ProblemNote } from "../../ui/problem-note";

export function ConnectionTest() {
  const test = useTestConnection();
  return (
    <div className="stack">
      <div className="row">
        <p className="dim grow">Checks the connection step by step. Shows where it fails and what to do.</p>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          {test.data ? "Test again" : "Test connection"}
        </Button>
      </div>
      {test.error && <ProblemNote problem={asProblem(test.error)} />}
      <div role="status">
        {test.data && (
          <>
            <p className="test-result" data-tone={test.data.ok ? "good" : "bad"}>
              <Icon name={test.data.ok ? "check" : "cross"} size={16} />
              <span className="strong">
                {test.data.ok ? "The connection works" : "The connection failed"}
              </span>
              <code className="wraps">{test.data.url}</code>
            </p>
            <ol className="steps">
              {test.data.steps.map((step) => (
                <li key={step.name} data-tone={step.ok ? "good" : "bad"}>
                  <Icon name={step.ok ? "check" : "cross"} size={16} />
                  <div>
                    <p>
                      <span className="strong first-up">{step.name}</span>
                      <span className="sr-only">{step.ok ? ": passed" : ": failed"}</span>
                    </p>
                    <p className="dim wraps">{step.detail}</p>
                    {step.hint && <p className="wraps">{step.hint}</p>}
                  </div>
                  <span className="dim figure">{formatDuration(step.latencyMs)}</span>
                </li>
              ))}
            </ol>
          </>
        )}
      </div>
    </div>
  );
}
