import { NumberInput } from "@mantine/core";
import { useState } from "react";
import type { RecordDetail } from "../../api/types";
import { Card } from "../../ui/card";
import text from "../../ui/text.module.css";
import styles from "./record.module.css";

/** The QR label of a piece of equipment, or the label sheets of a vessel. Absent for a record that is not here. */
export function Labels({ record }: { record: RecordDetail }) {
  if (record.status == null) return null;
  const id = encodeURIComponent(record.sourceId);
  if (record.recordType === "equipment") return <EquipmentLabel path={`/api/equipment/${id}/qr`} />;
  if (record.recordType === "vessel") return <LabelSheets path={`/api/vessels/${id}/labels.html`} />;
  return null;
}

function EquipmentLabel({ path }: { path: string }) {
  return (
    <Card title="QR label">
      <p className={styles.labelLinks}>
        <a href={`${path}.svg`} target="_blank" rel="noreferrer">
          View label <span className={text.dim}>(SVG, new tab)</span>
        </a>
        <a href={`${path}.png`} download>
          Download label <span className={text.dim}>(PNG, for label printers)</span>
        </a>
      </p>
    </Card>
  );
}

const LABELS_PER_SHEET = 24;

function LabelSheets({ path }: { path: string }) {
  const [used, setUsed] = useState<number | string>(0);
  const isValid = typeof used === "number" && Number.isInteger(used) && used >= 0 && used < LABELS_PER_SHEET;
  return (
    <Card title="QR labels">
      <p className={text.dim}>
        Labels of the equipment that is not withdrawn, {LABELS_PER_SHEET} on an A4 sheet. Print them at 100 %.
      </p>
      <div className={styles.labelSheets}>
        <NumberInput
          label="Labels already used on the first sheet"
          allowDecimal={false}
          allowNegative={false}
          min={0}
          max={LABELS_PER_SHEET - 1}
          value={used}
          onChange={setUsed}
          error={isValid ? undefined : `From 0 to ${LABELS_PER_SHEET - 1}`}
        />
        {isValid && (
          <a href={used > 0 ? `${path}?used=${used}` : path} target="_blank" rel="noreferrer">
            Print label sheets <span className={text.dim}>(new tab)</span>
          </a>
        )}
      </div>
    </Card>
  );
}
