import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getServiceVersion, openBuild } from "../../api/queries/version";
import { clockOffset } from "../../api/server-clock";
import { useSession } from "../../api/session";
import { fleetPartText } from "../../format/fleet-part";
import type { Status } from "../../format/status";
import { formatDuration } from "../../format/times";
import { Card } from "../../ui/card";
import { CopyableId } from "../../ui/copyable-id";
import { Fact, FactList } from "../../ui/fact-list";
import { Page } from "../../ui/page";
import { StatusBanner } from "../../ui/status-banner";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { useIsOutdated } from "../../ui/use-outdated";

/** Versions of the service and of this page, and what the browser and the service know of each other. */
export function AboutPage() {
  const service = useQuery(getServiceVersion());
  const isOutdated = useIsOutdated();
  const session = useSession();
  const build = openBuild();
  return (
    <Page
      title="About"
      actions={isOutdated && <Button onClick={() => location.reload()}>Reload the page</Button>}
    >
      <StatusBanner status={versionStatus(isOutdated)} />
      <Card title="Versions">
        <FactList>
          <Fact name="Service">
            {service.data ? (
              `${service.data.service} ${service.data.version}`
            ) : (
              <span className={text.dim}>
                {service.isError ? "unknown: it does not answer" : "not known yet"}
              </span>
            )}
          </Fact>
          <Fact name="Dashboard">{DASHBOARD_VERSION}</Fact>
          <Fact name="Build of this page">
            {build ? (
              <CopyableId text={build} name="build" />
            ) : (
              <span className={text.dim}>in development</span>
            )}
          </Fact>
        </FactList>
      </Card>
      <Card title="This browser">
        <FactList>
          {session && (
            <>
              <Fact name="Signed in as">
                <bdi>{session.identity.subject}</bdi>, {session.identity.role}
              </Fact>
              {session.identity.scope && <Fact name="For">{fleetPartText(session.identity.scope)}</Fact>}
              <Fact name="Until">
                <Time iso={session.identity.expiresAt} full />
              </Fact>
            </>
          )}
          <Fact name="Clock">{clockText(clockOffset())}</Fact>
        </FactList>
      </Card>
      <Card title="Documents">
        <FactList>
          <Fact name="Reference of the operator API">
            <a href="/docs">/docs</a>
          </Fact>
          <Fact name="Licence">MIT or Apache 2.0</Fact>
        </FactList>
      </Card>
    </Page>
  );
}

export function versionStatus(isOutdated: boolean | undefined): Status {
  if (isOutdated === undefined) {
    return {
      tone: "neutral",
      headline: "It is not known whether this page is up to date",
      detail: "The service has not said which version it has.",
    };
  }
  return isOutdated
    ? {
        tone: "warn",
        headline: "This page is older than the service",
        detail: "The service was updated while the page was open. Reload the page.",
      }
    : {
        tone: "good",
        headline: "This page is up to date",
        detail: "It is the one that the service has now.",
      };
}

/** `offset`: how far the service's clock is ahead, in ms. */
export const clockText = (offset: number): string =>
  offset === 0
    ? "agrees with the service"
    : `${formatDuration(Math.abs(offset))} ${offset > 0 ? "behind" : "ahead of"} the service, whose time is shown`;
