import { useQuery } from "@tanstack/react-query";
import { getSettings } from "../../api/queries";
import type { Settings } from "../../api/types";
import { uncapital } from "../../format/capitalize";
import { MODES } from "../../format/states";
import type { Verdict as Said } from "../../format/sync";
import { Card, Page, Verdict } from "../../ui/page";
import { Answer } from "../../ui/query-result";
import { Time } from "../../ui/time";
import { ConnectionTest } from "./connection-test";
import { SettingsForm } from "./settings-form";

export function SettingsPage() {
  const settings = useQuery(getSettings());
  return (
    <Page title="Settings">
      <Answer of={settings} lines={10}>
        {(data) => (
          <>
            <ScheduleVerdict settings={data} />
            <SettingsForm settings={data} />
          </>
        )}
      </Answer>
      <Card title="Connection to the onboarding portal">
        <ConnectionTest />
      </Card>
    </Page>
  );
}

/** What the settings as they are saved come to; what is being typed shows in the form. */
function ScheduleVerdict({ settings }: { settings: Settings }) {
  const next = settings.enableScheduledSync ? settings.schedule.nextRuns[0] : undefined;
  return (
    <Verdict
      of={verdict(settings)}
      {...(next ? { figure: { value: <Time iso={next} />, unit: "next sync" } } : {})}
    />
  );
}

function verdict({ enableScheduledSync, schedule, scheduleMode, scheduleTimeZone }: Settings): Said {
  if (!enableScheduledSync) {
    return {
      tone: "neutral",
      sentence: "The schedule is off",
      detail:
        "Full and incremental syncs begin on an operator's word alone. Approvals arrive at once all the same.",
    };
  }
  const never = schedule.nextRuns.length === 0;
  return {
    tone: never ? "warn" : "good",
    sentence: never ? "The schedule is on, but its time never comes" : "The schedule is on",
    detail: `${MODES[scheduleMode]} sync ${uncapital(schedule.description.replace(/\.$/, ""))}, ${scheduleTimeZone}. Approvals arrive at once all the same.`,
  };
}
