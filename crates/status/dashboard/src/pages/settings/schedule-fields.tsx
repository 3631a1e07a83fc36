import { NativeSelect, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useMemo } from "react";
import type { Mode } from "../../api/types";
import { Card } from "../../ui/card";
import type { FieldGroupProps } from "./fields";
import { SchedulePreview } from "./schedule-preview";
import styles from "./settings-form.module.css";

function timeZones(selected: string): string[] {
  return [...new Set(["UTC", selected, ...Intl.supportedValuesOf("timeZone")])];
}

export function ScheduleFields({ fields, errors, disabled, onEdit }: FieldGroupProps) {
  const zones = useMemo(() => timeZones(fields.scheduleTimeZone), [fields.scheduleTimeZone]);
  return (
    <Card title="Schedule" allowOverflow>
      <div className={styles.fields}>
        <Switch
          label="Start syncs on a schedule"
          checked={fields.enableScheduledSync}
          onChange={(event) => onEdit({ enableScheduledSync: event.currentTarget.checked })}
          error={errors.enableScheduledSync}
        />
        <div className={styles.columns}>
          <NativeSelect
            label="Mode"
            description="Incremental: only what has changed since the last complete sync"
            data={[
              { value: "full", label: "Full sync" },
              { value: "incremental", label: "Incremental sync" },
            ]}
            value={fields.scheduleMode}
            onChange={(event) => onEdit({ scheduleMode: event.currentTarget.value as Mode })}
            error={errors.scheduleMode}
            disabled={disabled}
          />
          <NumberInput
            label="Incremental overlap"
            description="How far before the last complete sync an incremental one starts"
            suffix=" s"
            value={fields.incrementalOverlapSeconds}
            onChange={(incrementalOverlapSeconds) => onEdit({ incrementalOverlapSeconds })}
            error={errors.incrementalOverlapSeconds}
            allowDecimal={false}
            allowNegative={false}
            disabled={disabled}
          />
          <TextInput
            label="Cron expression"
            description="Minute, hour, day of month, month, day of week"
            classNames={{ input: styles.cron }}
            value={fields.scheduleCron}
            onChange={(event) => onEdit({ scheduleCron: event.currentTarget.value })}
            error={errors.scheduleCron}
            spellCheck={false}
            autoComplete="off"
          />
          <Select
            label="Time zone"
            description="Of the cron expression"
            data={zones}
            value={fields.scheduleTimeZone}
            onChange={(zone) => zone && onEdit({ scheduleTimeZone: zone })}
            error={errors.scheduleTimeZone}
            searchable
            allowDeselect={false}
            disabled={disabled}
            limit={60}
            withScrollArea={false}
            nothingFoundMessage="No matching time zone"
          />
        </div>
        <SchedulePreview
          cron={fields.scheduleCron}
          timeZone={fields.scheduleTimeZone}
          isEnabled={fields.enableScheduledSync}
        />
      </div>
    </Card>
  );
}
