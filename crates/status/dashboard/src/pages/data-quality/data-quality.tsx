import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { getValidationReport } from "../../api/queries/findings";
import type { Severity, ValidationReport } from "../../api/types";
import { rejectedRecords } from "../../format/fleet-status";
import { plural } from "../../format/numbers";
import { SEVERITIES } from "../../format/states";
import type { Status } from "../../format/status";
import { EmptyState } from "../../ui/empty-state";
import { findingColumns, findingKey } from "../../ui/finding-columns";
import { LiveList } from "../../ui/live-list";
import { Page } from "../../ui/page";
import { StateFilter } from "../../ui/state-filter";
import { StatusBanner } from "../../ui/status-banner";

const PAGE_SIZE = 20;
const route = getRouteApi("/data-quality");

/** Findings about records as they are now, whichever sync found them. A finding goes when its record is corrected and synced. */
export function DataQualityPage() {
  const { page = 1, severity } = route.useSearch();
  const navigate = route.useNavigate();
  const report = useQuery(
    getValidationReport({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, severity),
  );
  const list = useQuery({
    ...getValidationReport({ limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }, severity),
    select: ({ findings, pagination }) => ({ data: findings, pagination }),
  });
  return (
    <Page
      title="Data quality"
      actions={
        <StateFilter<Severity>
          label="Finding"
          allLabel="All findings"
          states={SEVERITIES}
          value={severity}
          onChange={(next) => navigate({ search: (old) => ({ ...old, page: undefined, severity: next }) })}
        />
      }
    >
      <StatusBanner status={report.data && dataQualityStatus(report.data)} />
      <LiveList
        query={list}
        itemNoun="findings"
        label="Findings"
        columns={findingColumns}
        rowKey={findingKey}
        page={page}
        pageSize={PAGE_SIZE}
        filter={severity}
        linked={false}
        empty={
          <EmptyState framed title={severity ? "No findings of this kind" : "No findings"}>
            Records that a sync rejects, or accepts with a warning, are listed here until they are corrected.
          </EmptyState>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
    </Page>
  );
}

export function dataQualityStatus(report: ValidationReport): Status {
  const rejected = rejectedRecords(report);
  const warned = report.records.reduce((total, row) => total + row.withWarnings, 0);
  const warnings = `${plural(warned, "record")} ${warned === 1 ? "has" : "have"} a warning`;
  if (rejected > 0) {
    return {
      tone: "warn",
      headline: `${plural(rejected, "record")} ${rejected === 1 ? "is" : "are"} rejected`,
      detail: `Correct them in the onboarding portal. It then sends them again. ${warnings}.`,
    };
  }
  if (report.records.every((row) => row.records === 0)) {
    return {
      tone: "neutral",
      headline: "No records yet",
      detail: "Records are validated when a sync reads them.",
    };
  }
  return {
    tone: "good",
    headline: "No rejected records",
    detail: warned > 0 ? `${warnings}: accepted, but to be checked.` : "All records passed validation.",
  };
}
