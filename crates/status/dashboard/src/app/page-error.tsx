import { Button } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { asProblem, Problem } from "../api/problem";
import layout from "../ui/layout.module.css";
import { Note } from "../ui/note";
import { Page } from "../ui/page";
import { ProblemNote } from "../ui/problem-note";

/** Shown in place of a page that cannot be loaded or drawn. The navigation and all other pages stay. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    router.invalidate();
  };
  useEffect(() => {
    console.error(error);
  }, [error]);
  return (
    <Page title="This page cannot be shown">
      <ProblemNote problem={isLoadError(error) ? NOT_LOADED : asProblem(error)} onRetry={retry} />
      <Note
        tone="neutral"
        actions={
          <span className={layout.actions}>
            <Button size="xs" variant="default" onClick={() => location.reload()}>
              Reload the dashboard
            </Button>
          </span>
        }
      >
        The other pages still work. If a retry does not help, the dashboard may be older than the service:
        reload it.
      </Note>
    </Page>
  );
}

const NOT_LOADED = new Problem({
  status: 0,
  title: "The page could not be loaded",
  detail: "SMS Sync is not responding. Check the network connection, then retry.",
  code: "page_not_loaded",
});

/** Whether a page's file could not be loaded, in the words of Chromium, Firefox and Safari. */
const isLoadError = (error: unknown): boolean =>
  error instanceof Error &&
  /dynamically imported module|importing a module script failed/i.test(error.message);
