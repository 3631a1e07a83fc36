import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asProblem } from "../../api/problem";
import { sessionEndReason } from "../../api/session";
import { signIn, tokenIn } from "../../api/sign-in";
import { Note } from "../../ui/note";
import { ProblemNote } from "../../ui/problem-note";
import text from "../../ui/text.module.css";
import styles from "./sign-in.module.css";

interface Props {
  /** Above the page of a session that has ended or is about to: what was written there stays. */
  isOverlay?: boolean;
  /** Offered while the old session goes on. */
  onCancel?: (() => void) | undefined;
  onDone?: () => void;
}

/** Shown instead of any page until the operator has signed in. The URL stays, so that sign-in leads to the page. */
export function SignIn({ isOverlay = false, onCancel, onDone }: Props) {
  const [token, setToken] = useState("");
  const signingIn = useMutation({ mutationFn: signIn, onSuccess: () => onDone?.() });
  useEffect(() => {
    const before = document.title;
    document.title = "Sign in · SMS Sync";
    return () => {
      document.title = before;
    };
  }, []);
  const problem = signingIn.error ? asProblem(signingIn.error) : null;
  const refused = problem?.status === 401;
  const endReason = sessionEndReason();

  return (
    <main className={styles.main} data-overlay={isOverlay || undefined}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          const given = tokenIn(token);
          if (given) signingIn.mutate(given);
        }}
      >
        <div className={styles.head}>
          <img src="/icon.svg" alt="" width={40} height={40} />
          <div>
            <h1>SMS Sync</h1>
            <p className={text.dim}>Keeps the maintenance portal in sync with the onboarding portal.</p>
          </div>
        </div>
        {endReason && !problem && (
          <Note tone="warn">
            Your token {endReason === "revoked" ? "was revoked" : "has expired"}. Sign in with a new one to
            return to this page{isOverlay ? ", where nothing is lost" : ""}.
          </Note>
        )}
        <PasswordInput
          label="Operator token"
          description={
            <>
              Create one with <code>sms-sync token</code>. It signs this browser in until the token ends.
            </>
          }
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={
            refused
              ? "This token is not accepted: it is mistyped, expired, revoked or for another system."
              : undefined
          }
          autoFocus
          autoComplete="off"
          spellCheck={false}
          visibilityToggleButtonProps={{ "aria-label": "Show the token", tabIndex: 0 }}
        />
        {problem && !refused && <ProblemNote problem={problem} />}
        <Button type="submit" loading={signingIn.isPending} disabled={token.trim() === ""} fullWidth>
          Sign in
        </Button>
        {onCancel && (
          <Button variant="subtle" onClick={onCancel} fullWidth>
            Not now
          </Button>
        )}
      </form>
    </main>
  );
}
