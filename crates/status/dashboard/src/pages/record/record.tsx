import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { getRecord } from "../../api/queries/records";
import { useFleetPart, useHasRole } from "../../api/session";
import type { RecordDetail } from "../../api/types";
import { capitalize } from "../../format/capitalize";
import { plural } from "../../format/numbers";
import { recordName, recordStatus } from "../../format/records";
import { isRecordType, recordTypeNames } from "../../format/states";
import { Announcement } from "../../ui/announcement";
import { Card } from "../../ui/card";
import { CopyableId } from "../../ui/copyable-id";
import crumb from "../../ui/crumb.module.css";
import { EmptyState } from "../../ui/empty-state";
import { findingColumns, findingKey } from "../../ui/finding-columns";
import { Note } from "../../ui/note";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { StatusBanner } from "../../ui/status-banner";
import { Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { RejectionNote } from "./acknowledgement";
import { BelongingLists, Belongings } from "./belongings";
import { Freshness, Particulars } from "./facts";
import { Labels } from "./labels";
import { PartLists } from "./parts";
import styles from "./record.module.css";
import { SyncVessel } from "./sync-vessel";
import { Timeline } from "./timeline";
import { VesselFindings } from "./vessel-findings";

const route = getRouteApi("/records/$recordType/$sourceId");

/** One record: where it stands, its values, what belongs to it, and all that happened to it. */
export function RecordPage() {
  const { recordType, sourceId } = route.useParams();
  if (!isRecordType(recordType)) {
    return (
      <Page title="Record">
        <EmptyState framed title="No such type of record">
          Check the address, or <Link to="/records">go to the records</Link>.
        </EmptyState>
      </Page>
    );
  }
  return <KnownRecord key={`${recordType} ${sourceId}`} recordType={recordType} sourceId={sourceId} />;
}

function KnownRecord({ recordType, sourceId }: Pick<RecordDetail, "recordType" | "sourceId">) {
  const record = useQuery(getRecord(recordType, sourceId));
  const { one, many } = recordTypeNames(recordType);
  return (
    <Page
      title={record.data ? recordName(record.data) : capitalize(one)}
      actions={record.data && recordType === "vessel" && <SyncVessel vessel={record.data} />}
    >
      <p className={crumb.crumb}>
        <Link to="/records" search={{ type: recordType === "vessel" ? undefined : recordType }}>
          <ArrowLeft size={14} aria-hidden /> {many}
        </Link>
        <CopyableId text={sourceId} name="record ID" />
      </p>
      <QueryResult query={record} lines={12}>
        {(data) => <RecordContent record={data} />}
      </QueryResult>
    </Page>
  );
}

function RecordContent({ record }: { record: RecordDetail }) {
  const status = recordStatus(record);
  const isOperator = useHasRole("operator");
  const isForWhole = useFleetPart() === null;
  const { recordType, sourceId } = record;
  const hasLists = recordType !== "user" && record.status != null;
  return (
    <>
      <Announcement text={status.headline} />
      <StatusBanner
        status={status}
        {...(record.versionAt
          ? { figure: { value: <Time iso={record.versionAt} />, unit: "last changed" } }
          : {})}
      >
        {record.standing !== "active" && isForWhole && (
          <Link to="/doctor" search={{ recordType, sourceId }}>
            Find out why
          </Link>
        )}
      </StatusBanner>
      {record.standing === "rejected" && <RejectionNote record={record} canAct={isOperator && isForWhole} />}
      {record.openConflicts > 0 && (
        <Note
          tone="warn"
          label="Open conflicts"
          title={`${plural(record.openConflicts, "conflict")} to decide`}
          actions={
            isForWhole && (
              <Link to="/conflicts" search={{ state: "open", recordType, sourceId }}>
                View conflicts
              </Link>
            )
          }
        >
          <p>The portals disagree about this record.</p>
        </Note>
      )}
      {record.withdrawalDueAt && (
        <Note tone="warn" title="Its withdrawal is announced">
          <p>
            It is withdrawn <Time iso={record.withdrawalDueAt} full />.
          </p>
        </Note>
      )}
      {recordType === "vessel" ? (
        <VesselFindings vessel={record} />
      ) : (
        record.findingsTotal > 0 && (
          <Card
            title="Findings"
            aside={<span className={text.dim}>{plural(record.findingsTotal, "finding")}</span>}
          >
            <Table label="Findings" columns={findingColumns} data={record.findings} rowKey={findingKey} />
          </Card>
        )
      )}
      <div className={styles.columns}>
        <div className={styles.column}>
          <Card title="Particulars">
            <Particulars record={record} />
          </Card>
          {!hasLists && (
            <Card title="Belongs to it">
              <Belongings record={record} />
            </Card>
          )}
        </div>
        <div className={styles.column}>
          <Card
            title="Freshness"
            aside={
              recordType === "vessel" && (
                <Link to="/analytics" search={{ window: "day", vessel: sourceId }}>
                  View analytics
                </Link>
              )
            }
          >
            <Freshness record={record} />
          </Card>
          <Labels record={record} />
          <Card title="Timeline">
            <Timeline recordType={recordType} sourceId={sourceId} />
          </Card>
        </div>
      </div>
      {hasLists && <BelongingLists record={record} />}
      {hasLists && recordType !== "company" && <PartLists owner={record} />}
    </>
  );
}
