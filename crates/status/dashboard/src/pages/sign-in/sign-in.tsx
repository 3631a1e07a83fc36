import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asProblem } from "../../api/problem";
import { getIdentity } from "../../api/queries";
import { beginSession, sessionEndReason } from "../../api/session";
import { Note } from "../../ui/note";
import { ProblemNote } from "../../ui/problem-note";
import text from "../../ui/text.module.css";
import styles from "./sign-in.module.css";

/** Shown instead of any page until the operator has signed in. The URL stays, so that sign-in leads to the page. */
export function SignIn() {
  const cache = useQueryClient();
  const [token, setToken] = useState("");
  const signIn = useMutation({
    mutationFn: getIdentity,
    onSuccess: (identity, usedToken) => {
      // Another operator may have another role.
      cache.clear();
      beginSession({ token: usedToken, identity });
    },
  });
  useEffect(() => {
    document.title = "Sign in · SMS Sync";
  }, []);
  const problem = signIn.error ? asProblem(signIn.error) : null;
  const refused = problem?.status === 401;
  const endReason = sessionEndReason();

  return (
    <main className={styles.main}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          const given = token.trim();
          if (given) signIn.mutate(given);
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
            return to this page.
          </Note>
        )}
        <PasswordInput
          label="Operator token"
          description={
            <>
              Create one with <code>sms-sync token</code>. It is kept for this tab only.
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
        <Button type="submit" loading={signIn.isPending} disabled={token.trim() === ""} fullWidth>
          Sign in
        </Button>
      </form>
    </main>
  );
}
