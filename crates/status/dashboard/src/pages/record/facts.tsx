import { Link } from "@tanstack/react-router";
import { useFleetPart } from "../../api/session";
import type { RecordDetail } from "../../api/types";
import { fieldLabel, fieldValue, orderedFields } from "../../format/record-fields";
import { Fact, FactList } from "../../ui/fact-list";
import { NamedRecordLink } from "../../ui/record-link";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import styles from "./record.module.css";

/** Fields that the page shows elsewhere. */
const SHOWN_ELSEWHERE = new Set(["withdrawalDueAt", "vesselScope", "specs"]);

/** The values of the record's row. */
export function Particulars({ record }: { record: RecordDetail }) {
  const { particulars, vesselId, companyId } = record;
  const fields = orderedFields(particulars as Record<string, unknown>).filter(
    ([name]) => !SHOWN_ELSEWHERE.has(name),
  );
  if (fields.length === 0) {
    return <p className={text.dim}>No state of the record was ever written, so its values are not known.</p>;
  }
  const specs = orderedFields(asObject((particulars as Record<string, unknown>).specs));
  return (
    <>
      <FactList className={styles.facts}>
        {vesselId && (
          <Fact name="Vessel">
            <NamedRecordLink recordType="vessel" sourceId={vesselId} />
          </Fact>
        )}
        {companyId && (
          <Fact name="Company">
            <NamedRecordLink recordType="company" sourceId={companyId} />
          </Fact>
        )}
        {fields.map(([name, value]) => (
          <FieldFact key={name} name={name} value={value} />
        ))}
      </FactList>
      {specs.length > 0 && (
        <section>
          <h3>Technical data</h3>
          <FactList className={styles.facts}>
            {specs.map(([name, value]) => (
              <FieldFact key={name} name={name} value={value} />
            ))}
          </FactList>
        </section>
      )}
    </>
  );
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

function FieldFact({ name, value }: { name: string; value: unknown }) {
  const shown = fieldValue(name, value);
  return (
    <Fact name={fieldLabel(name)}>
      {shown === null ? <span className={text.dim}>none</span> : <bdi>{shown}</bdi>}
    </Fact>
  );
}

const WRITERS: Partial<Record<string, string>> = {
  onboarding: "the onboarding portal",
  maintenance: "the maintenance portal",
};

/** How old the record is, and who wrote it. */
export function Freshness({ record }: { record: RecordDetail }) {
  const { sourceUpdatedAt, versionAt, lastWriter, syncedAt, fetchedAt, createdAt, missingSince, syncId } =
    record;
  const isForWhole = useFleetPart() === null;
  if (!createdAt) return <p className={text.dim}>No state of the record was ever written.</p>;
  return (
    <FactList>
      {sourceUpdatedAt && (
        <Fact name="Changed in the onboarding portal">
          <Time iso={sourceUpdatedAt} full />
        </Fact>
      )}
      {versionAt && (
        <Fact name="Values last written">
          <Time iso={versionAt} full />
          {lastWriter && <> by {WRITERS[lastWriter] ?? lastWriter}</>}
        </Fact>
      )}
      {fetchedAt && (
        <Fact name="Read from the onboarding portal">
          <Time iso={fetchedAt} full />
        </Fact>
      )}
      {syncedAt && (
        <Fact name="Written by a sync">
          <Time iso={syncedAt} full />
          {syncId && record.syncIsKept && isForWhole && (
            <>
              {" "}
              <Link to="/syncs/$syncId" params={{ syncId }}>
                View sync
              </Link>
            </>
          )}
        </Fact>
      )}
      <Fact name="Created here">
        <Time iso={createdAt} full />
      </Fact>
      {missingSince && (
        <Fact name="Missing since">
          <Time iso={missingSince} full />
        </Fact>
      )}
    </FactList>
  );
}
