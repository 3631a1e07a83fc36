import { useQuery } from "@tanstack/react-query";
import { getRoleMapping } from "../../api/queries/role-mapping";
import { useHasRole } from "../../api/session";
import type { User } from "../../api/types";
import { plural } from "../../format/numbers";
import { accessLabel, labelOf, PASSWORD_STATES, roleWord } from "../../format/states";
import { CopyableId } from "../../ui/copyable-id";
import { EmptyState } from "../../ui/empty-state";
import { Fact, FactList } from "../../ui/fact-list";
import layout from "../../ui/layout.module.css";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { roleReason } from "./role-reason";
import { TemporaryPasswordActions } from "./temporary-password";

/** One user. The API has no user by id, so a link opens only a user of the list that is shown. */
export function UserDetails({ user }: { user: User | undefined }) {
  if (user) return <Details user={user} />;
  return (
    <EmptyState framed title="This user is not on the page of the list">
      Search for the email address, then open the user.
    </EmptyState>
  );
}

function Details({ user }: { user: User }) {
  const isAdmin = useHasRole("admin");
  const mapping = useQuery(getRoleMapping()).data;
  const password = labelOf(PASSWORD_STATES, user.password);
  return (
    <div className={layout.stack}>
      <p className={text.strong}>
        <bdi className={text.breakAnywhere}>{user.email}</bdi>
      </p>
      <FactList>
        <Fact name="Role">
          {roleWord(user.role)}
          <br />
          <span className={text.dim}>{roleReason(user, mapping)}</span>
        </Fact>
        <Fact name="Access">
          <StateBadge label={accessLabel(user)} />
        </Fact>
        <Fact name="Rank">{roleWord(user.rank)}</Fact>
        {user.department && <Fact name="Department">{roleWord(user.department)}</Fact>}
        <Fact name="Workplace">{roleWord(user.workplace)}</Fact>
        <Fact name="May see the data of">
          {user.vesselIds.length === 0 ? "no vessel of their own" : plural(user.vesselIds.length, "vessel")}
        </Fact>
        {(user.signOn || user.signOff) && (
          <Fact name="On board">
            {user.signOn ?? "unknown"} to {user.signOff ?? "further notice"}
          </Fact>
        )}
        <Fact name="ID in the onboarding portal">
          <CopyableId text={user.sourceId} name="record ID" />
        </Fact>
      </FactList>
      <section>
        <h3>Temporary password</h3>
        <div className={layout.stack}>
          <p>
            <StateBadge label={password} />{" "}
            {user.passwordExpiresAt && user.password !== "none" && (
              <span className={text.dim}>
                {user.password === "expired" ? "expired" : "expires"} <Time iso={user.passwordExpiresAt} />
              </span>
            )}
          </p>
          {isAdmin ? (
            <TemporaryPasswordActions user={user} />
          ) : (
            <p className={text.dim}>An admin claims it for the user.</p>
          )}
        </div>
      </section>
    </div>
  );
}
