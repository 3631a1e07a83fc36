import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { getRecord } from "../api/queries/records";
import { useFleetPart } from "../api/session";
import type { RecordType } from "../api/types";
import { recordName } from "../format/records";
import { RECORD_TYPE_ORDER, recordTypeNames } from "../format/states";
import { CopyableId } from "./copyable-id";
import text from "./text.module.css";

/** A link to the page of a record. */
export function RecordLink(props: { recordType: RecordType; sourceId: string; children: ReactNode }) {
  const { recordType, sourceId, children } = props;
  return (
    <Link to="/records/$recordType/$sourceId" params={{ recordType, sourceId }}>
      <bdi className={text.breakAnywhere}>{children}</bdi>
    </Link>
  );
}

/**
 * The same by the name of the record, which is fetched; by its id until then, and where nothing is known of it. Of a company
 * only the id, where the operator's token is for vessels alone.
 */
export function NamedRecordLink({ recordType, sourceId }: { recordType: RecordType; sourceId: string }) {
  const isClosed = useFleetPart()?.companies.length === 0 && recordType === "company";
  // A type of a newer service has no page here.
  const isKnown = RECORD_TYPE_ORDER.includes(recordType);
  const record = useQuery({
    ...getRecord(recordType, sourceId),
    staleTime: 60_000,
    enabled: isKnown && !isClosed,
  }).data;
  if (isClosed || !isKnown) return <CopyableId text={sourceId} name="record ID" />;
  return (
    <RecordLink recordType={recordType} sourceId={sourceId}>
      {record ? recordName(record) : sourceId}
    </RecordLink>
  );
}

/** The type of a record and its id, which links to its page: `vessel …28d08dd1`. */
export function RecordId({ recordType, sourceId }: { recordType: RecordType; sourceId: string }) {
  return (
    <span className={text.oneLine}>
      <Link to="/records/$recordType/$sourceId" params={{ recordType, sourceId }} className={text.aboveRow}>
        {recordTypeNames(recordType).one}
      </Link>{" "}
      <CopyableId text={sourceId} name="record ID" />
    </span>
  );
}
