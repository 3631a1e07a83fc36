import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { diagnose, type MissingRecord } from "../../api/queries/doctor";
import type { Diagnosis, DoctorQuestion, DoctorReport, RecordType } from "../../api/types";
import { capitalize } from "../../format/capitalize";
import { plural } from "../../format/numbers";
import { labelOf, RECORD_TYPE_ORDER, recordTypeNames, type StateLabel } from "../../format/states";
import type { Status } from "../../format/status";
import { Announcement } from "../../ui/announcement";
import { Card } from "../../ui/card";
import { FilterBar } from "../../ui/filter-bar";
import { Icon } from "../../ui/icon";
import { OptionFilter } from "../../ui/option-filter";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { NamedRecordLink } from "../../ui/record-link";
import { StatusBanner } from "../../ui/status-banner";
import text from "../../ui/text.module.css";
import { TextFilter } from "../../ui/text-filter";
import { Time } from "../../ui/time";
import styles from "./doctor.module.css";

const route = getRouteApi("/doctor");

/** What is wrong, why, and what to do about it. */
export function DoctorPage() {
  const { recordType, sourceId } = route.useSearch();
  const missing = sourceId ? { recordType: recordType ?? "vessel", sourceId } : undefined;
  const report = useQuery(diagnose(missing));
  return (
    <Page
      title="Doctor"
      actions={
        <Button variant="default" loading={report.isFetching} onClick={() => report.refetch()}>
          Check again
        </Button>
      }
    >
      <QueryResult query={report} lines={8}>
        {(data) => <Report report={data} />}
      </QueryResult>
      <MissingForm missing={missing} />
    </Page>
  );
}

const QUESTIONS: Record<DoctorQuestion, string> = {
  connection: "Do the services reach what they need?",
  stuck: "Is a sync or an approval stuck?",
  missing: "Why is a record missing?",
};

function Report({ report }: { report: DoctorReport }) {
  const status = doctorStatus(report);
  // What is wrong comes first.
  const sorted = [...report.diagnoses].sort((a, b) => Number(a.ok) - Number(b.ok));
  const questions = [...new Set(sorted.map(({ question }) => question))];
  return (
    <>
      <Announcement text={status.headline} />
      <StatusBanner status={status} figure={{ value: <Time iso={report.checkedAt} />, unit: "checked" }} />
      {questions.map((question) => (
        <Card key={question} title={QUESTIONS[question] ?? question}>
          <ul>
            {sorted
              .filter((diagnosis) => diagnosis.question === question)
              .map((diagnosis) => (
                <Advice key={`${diagnosis.title} ${diagnosis.sourceId}`} diagnosis={diagnosis} />
              ))}
          </ul>
        </Card>
      ))}
    </>
  );
}

const OUTCOMES: Record<string, StateLabel> = {
  true: { tone: "good", icon: "check", word: "Nothing wrong" },
  false: { tone: "bad", icon: "cross", word: "Wrong" },
};

/** One diagnosis: what was found, why, and what to do. */
export function Advice({ diagnosis }: { diagnosis: Diagnosis }) {
  const { ok, title, causes, fix } = diagnosis;
  const { tone, icon } = labelOf(OUTCOMES, String(ok));
  return (
    <li className={styles.advice} data-tone={tone}>
      <span className={text.toned}>
        <Icon name={icon} size={16} />
      </span>
      <div className={styles.text}>
        <p className={text.strong}>
          <bdi>
            <WithCommands advice={capitalize(title)} />
          </bdi>
        </p>
        {causes.length > 0 && (
          <>
            <h3 className={styles.head}>Why</h3>
            <ol className={causes.length > 1 ? styles.causes : undefined}>
              {causes.map((cause) => (
                <li key={cause}>
                  <bdi>
                    <WithCommands advice={capitalize(cause)} />
                  </bdi>
                </li>
              ))}
            </ol>
          </>
        )}
        {fix && (
          <>
            <h3 className={styles.head}>What to do</h3>
            <p>
              <bdi>
                <WithCommands advice={capitalize(fix)} />
              </bdi>
            </p>
          </>
        )}
        <AdviceLinks diagnosis={diagnosis} />
      </div>
    </li>
  );
}

/** Where to look, and to mend it. */
function AdviceLinks({
  diagnosis: { question, ok, syncId, recordType, sourceId },
}: {
  diagnosis: Diagnosis;
}) {
  return (
    <p className={styles.links}>
      {syncId && (
        <Link to="/syncs/$syncId" params={{ syncId }}>
          View sync
        </Link>
      )}
      {recordType && sourceId && <NamedRecordLink recordType={recordType} sourceId={sourceId} />}
      {question === "missing" && !ok && !sourceId && (
        <Link to="/data-quality" search={{ severity: "error" }}>
          View rejected records
        </Link>
      )}
      {question === "connection" && !ok && <Link to="/settings">Test the connection step by step</Link>}
    </p>
  );
}

/** A text of the service, whose commands stand in backticks. */
const WithCommands = ({ advice }: { advice: string }) =>
  advice
    .split(/(`[^`]+`)/)
    .map((part) => (part.startsWith("`") ? <code key={part}>{part.slice(1, -1)}</code> : part));

/** Asks about one record. */
function MissingForm({ missing }: { missing: MissingRecord | undefined }) {
  const { recordType } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Card title="Ask about one record" allowOverflow>
      <div className={styles.form}>
        <p className={text.dim}>
          A vessel that was approved, and is not in the maintenance portal? Enter its ID in the onboarding
          portal.
        </p>
        <FilterBar
          isFiltered={missing !== undefined}
          onClear={() => navigate({ search: ({ zone }) => (zone ? { zone } : {}) })}
        >
          <OptionFilter<RecordType>
            label="Record type"
            allLabel={recordTypeNames("vessel").many}
            options={RECORD_TYPE_ORDER.filter((type) => type !== "vessel").map((value) => ({
              value,
              label: recordTypeNames(value).many,
            }))}
            value={recordType}
            onChange={(next) => navigate({ search: (old) => ({ ...old, recordType: next }) })}
          />
          <TextFilter
            label="ID in the onboarding portal"
            value={missing?.sourceId}
            onChange={(sourceId) => navigate({ search: (old) => ({ ...old, sourceId }) })}
          />
        </FilterBar>
      </div>
    </Card>
  );
}

export function doctorStatus(report: DoctorReport): Status {
  const wrong = report.diagnoses.filter(({ ok }) => !ok);
  const [first] = wrong;
  if (first) {
    return {
      tone: "bad",
      headline: wrong.length === 1 ? first.title : `${plural(wrong.length, "thing")} are wrong`,
      detail: "The causes and what to do stand below.",
    };
  }
  return report.ok
    ? {
        tone: "good",
        headline: "Nothing is wrong",
        detail: "Connections, syncs and approvals, and the last missing records were checked.",
      }
    : { tone: "warn", headline: "The diagnosis is incomplete", detail: "Check again." };
}
