import { useQuery } from "@tanstack/react-query";
import { getSettings } from "../../api/queries";
import type { Settings } from "../../api/types";
import { uncapitalize } from "../../format/capitalize";
import { modeWord } from "../../format/states";
import type { Status } from "../../format/status";
import { formatScheduledTime } from "../../format/times";
import { Card } from "../../ui/card";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { StatusBanner } from "../../ui/status-banner";
import { Time } from "../../ui/time";
import { ConnectionTest } from "./connection-test";
import { SettingsForm } from "./settings-form";

export function SettingsPage() {
  const settings = useQuery(getSettings());
  return (
    <Page title="Settings">
      <QueryResult query={settings} lines={10}>
        {(data) => (
          <>
            <ScheduleStatus settings={data} />
            <SettingsForm settings={data} />
          </>
        )}
      </QueryResult>
      <Card title="Connection to the onboarding portal">
        <ConnectionTest />
      </Card>
    </Page>
  );
}

/** The schedule as saved; the form shows what is being edited. */
function ScheduleStatus({ settings }: { settings: Settings }) {
  const isOn = settings.enableScheduledSync && !settings.schedulePause;
  const next = isOn ? settings.schedule.nextRuns[0] : undefined;
  return (
    <StatusBanner
      status={scheduleStatus(settings)}
      {...(next ? { figure: { value: <Time iso={next} />, unit: "next sync" } } : {})}
    />
  );
}

function scheduleStatus({
  enableScheduledSync,
  schedule,
  scheduleMode,
  schedulePause,
  scheduleTimeZone,
}: Settings): Status {
  if (!enableScheduledSync) {
    return {
      tone: "neutral",
      headline: "The schedule is off",
      detail:
        "Full and incremental syncs start only when an operator starts them. Approvals still arrive at once by webhook.",
    };
  }
  if (schedulePause) {
    const { by, reason } = schedulePause;
    const until = schedulePause.until && formatScheduledTime(schedulePause.until, scheduleTimeZone);
    return {
      tone: "warn",
      headline: "The schedule is paused",
      detail: `${by} paused it${until ? ` until ${until}` : ""}: ${reason}. Approvals still arrive at once by webhook.`,
    };
  }
  const never = schedule.nextRuns.length === 0;
  return {
    tone: never ? "warn" : "good",
    headline: never ? "The schedule is on, but no date matches it" : "The schedule is on",
    detail: `${modeWord(scheduleMode)} sync ${uncapitalize(schedule.description.replace(/\.$/, ""))}, ${scheduleTimeZone}. Approvals still arrive at once by webhook.`,
  };
}
