import { useQuery } from "@tanstack/react-query";
import { getSettings } from "../../api/queries/settings";
import { Card } from "../../ui/card";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { ConnectionTest } from "./connection-test";
import { SettingsHistory } from "./history";
import { SettingsForm } from "./settings-form";

export function SettingsPage() {
  const settings = useQuery(getSettings());
  return (
    <Page title="Settings">
      <QueryResult query={settings} lines={10}>
        {(data) => <SettingsForm settings={data} />}
      </QueryResult>
      <Card title="Connection to the onboarding portal">
        <ConnectionTest />
      </Card>
      <SettingsHistory />
    </Page>
  );
}
