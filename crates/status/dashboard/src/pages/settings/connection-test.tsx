import { Button, VisuallyHidden } from "@mantine/core";
import { asProblem } from "../../api/problem";
import { useTestConnection } from "../../api/queries/settings";
import { formatDuration } from "../../format/times";
import { Icon } from "../../ui/icon";
import layout from "../../ui/layout.module.css";
import { ProblemNote } from "../../ui/problem-note";
import text from "../../ui/text.module.css";
import styles from "./connection-test.module.css";

export function ConnectionTest() {
  const test = useTestConnection();
  return (
    <div className={layout.stack}>
      <div className={styles.action}>
        <p className={text.dim}>Checks the connection step by step. Shows where it fails and what to do.</p>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          {test.data ? "Test again" : "Test connection"}
        </Button>
      </div>
      {test.error && <ProblemNote problem={asProblem(test.error)} />}
      <div role="status" className={styles.result}>
        {test.data && (
          <>
            <p className={styles.summary} data-tone={test.data.ok ? "good" : "bad"}>
              <Icon name={test.data.ok ? "check" : "cross"} size={16} />
              <span className={text.strong}>
                {test.data.ok ? "The connection works" : "The connection failed"}
              </span>
              <code className={text.breakAnywhere}>{test.data.url}</code>
            </p>
            <ol className={styles.steps}>
              {test.data.steps.map((step) => (
                <li key={step.name} className={styles.step} data-tone={step.ok ? "good" : "bad"}>
                  <Icon name={step.ok ? "check" : "cross"} size={16} />
                  <div>
                    <p>
                      <span className={`${text.strong} ${text.sentence}`}>{step.name}</span>
                      <VisuallyHidden component="span">{step.ok ? ": passed" : ": failed"}</VisuallyHidden>
                    </p>
                    <p className={`${text.dim} ${text.breakAnywhere}`}>
                      <bdi>{step.detail}</bdi>
                    </p>
                    {step.hint && <p className={text.breakAnywhere}>{step.hint}</p>}
                  </div>
                  <span className={`${text.dim} ${text.oneLine}`}>{formatDuration(step.latencyMs)}</span>
                </li>
              ))}
            </ol>
          </>
        )}
      </div>
    </div>
  );
}
