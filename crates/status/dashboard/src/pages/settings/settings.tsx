import { useQuery } from "@tanstack/react-query";
import { getSettings } from "../../api/queries";
import { Answer } from "../../ui/answer";
import { Card, Page } from "../../ui/page";
import { ConnectionTest } from "./connection-test";
import { SettingsForm } from "./settings-form";

export function SettingsPage() {
  const settings = useQuery(getSettings());
  return (
    <Page title="Settings">
      <Answer of={settings} lines={10}>
        {(data) => <SettingsForm settings={data} />}
      </Answer>
      <Card title="Connection to the onboarding portal">
        <ConnectionTest />
      </Card>
    </Page>
  );
}
