import { Button } from "@mantine/core";
import { asProblem } from "../../api/problem";
import { useTestConnection } from "../../api/queries";
import { duration } from "../../format/times";
import { Icon } from "../../ui/icon";
import { ProblemNote } from "../../ui/query-result";

export function ConnectionTest() {
  const test = useTestConnection();
  return (
    <div className="stack">
      <div className="row">
        <p className="dim grow">Goes the whole way step by step, and says where it ends and what to do.</p>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          {test.data ? "Test again" : "Test the connection"}
        </Button>
      </div>
      {test.error && <ProblemNote problem={asProblem(test.error)} />}
      <div role="status">
        {test.data && (
          <>
            <p className="test-result" data-tone={test.data.ok ? "good" : "bad"}>
              <Icon name={test.data.ok ? "check" : "cross"} size={16} />
              <span className="strong">
                {test.data.ok ? "The portal answers" : "The portal cannot be used"}
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
                      <span className="sr-only">{step.ok ? ": went well" : ": failed"}</span>
                    </p>
                    <p className="dim wraps">{step.detail}</p>
                    {step.hint && <p className="wraps">{step.hint}</p>}
                  </div>
                  <span className="dim figure">{duration(step.latencyMs)}</span>
                </li>
              ))}
            </ol>
          </>
        )}
      </div>
    </div>
  );
}
