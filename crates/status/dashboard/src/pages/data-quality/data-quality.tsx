import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { getValidationReport } from "../../api/queries";
import type { Severity, ValidationReport } from "../../api/types";
import { rejectedNow } from "../../format/fleet-status";
import { plural } from "../../format/numbers";
import { SEVERITIES } from "../../format/states";
import type { Verdict as Said } from "../../format/sync";
import { FINDING_COLUMNS, findingKey } from "../../ui/finding-columns";
import { LiveList } from "../../ui/live-list";
import { Empty, Page, Verdict } from "../../ui/page";
import { StateFilter } from "../../ui/state-filter";

const SIZE = 20;
const route = getRouteApi("/records");

/** What stands about records now, whichever sync found it: it goes when the record is mended and synced again. */
export function RecordsPage() {
  const { page = 1, severity } = route.useSearch();
  const navigate = route.useNavigate();
  const report = useQuery(getValidationReport({ limit: SIZE, offset: (page - 1) * SIZE }, severity));
  const list = useQuery({
    ...getValidationReport({ limit: SIZE, offset: (page - 1) * SIZE }, severity),
    select: ({ findings, pagination }) => ({ data: findings, pagination }),
  });
  return (
    <Page
      title="Records"
      actions={
        <StateFilter<Severity>
          label="Finding"
          all="All findings"
          states={SEVERITIES}
          value={severity}
          onChange={(next) => navigate({ search: (old) => ({ ...old, page: undefined, severity: next }) })}
        />
      }
    >
      {report.data && <Verdict of={verdict(report.data)} />}
      <LiveList
        of={list}
        what="findings"
        label="Findings"
        columns={FINDING_COLUMNS}
        keyOf={findingKey}
        page={page}
        size={SIZE}
        filter={severity}
        linked={false}
        empty={
          <Empty title={severity ? "None of this kind" : "Nothing stands about any record"}>
            What a sync rejects, or lets in with a warning, stands here until the record is mended.
          </Empty>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
    </Page>
  );
}

function verdict(report: ValidationReport): Said {
  const rejected = rejectedNow(report);
  const odd = report.records.reduce((n, kind) => n + kind.withWarnings, 0);
  const warnings = `${plural(odd, "record")} ${odd === 1 ? "has" : "have"} a warning`;
  if (rejected > 0) {
    return {
      tone: "warn",
      sentence: `${plural(rejected, "record")} ${rejected === 1 ? "is" : "are"} rejected`,
      detail: `Correct them in the onboarding portal; it then sends them again. ${warnings}.`,
    };
  }
  return {
    tone: "good",
    sentence: "No record is rejected",
    detail: odd > 0 ? `${warnings}: let in, and somebody should look.` : "Every record passed every rule.",
  };
}
