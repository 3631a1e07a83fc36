import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asProblem } from "../../api/problem";
import { me } from "../../api/queries";
import { beginSession, sessionEnd } from "../../api/session";
import { ProblemNote } from "../../ui/query-result";

/** Stands in front of every page, whose address it keeps. */
export function SignIn() {
  const cache = useQueryClient();
  const [token, setToken] = useState("");
  const signIn = useMutation({
    mutationFn: me,
    onSuccess: (who, used) => {
      // Another operator may see other things.
      cache.clear();
      beginSession({ token: used, who });
    },
  });
  useEffect(() => {
    document.title = "Sign in · SMS Sync";
  }, []);
  const problem = signIn.error ? asProblem(signIn.error) : null;
  const refused = problem?.status === 401;

  return (
    <main className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const given = token.trim();
          if (given) signIn.mutate(given);
        }}
      >
        <div className="sign-in-head">
          <img src="/icon.svg" alt="" width={40} height={40} />
          <div>
            <h1>SMS Sync</h1>
            <p className="dim">Keeps two portals in step.</p>
          </div>
        </div>
        {sessionEnd() === "expired" && !problem && (
          <p className="note" data-tone="warn">
            <span>Your token has expired. Sign in with a new one; you come back to the same page.</span>
          </p>
        )}
        <PasswordInput
          label="Operator token"
          description={
            <>
              A token comes from <code>sms-sync token</code>. It is kept for this tab alone.
            </>
          }
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={
            refused ? "This token is not accepted: it is mistyped, expired or for another system." : undefined
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
