import { NumberInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Card } from "../../ui/card";
import form from "../../ui/form.module.css";
import type { FieldGroupProps } from "./fields";

export function IncrementalFields({ fields, errors, disabled, onEdit }: FieldGroupProps) {
  return (
    <Card title="Incremental syncs" aside={<Link to="/schedules">Schedules</Link>} allowOverflow>
      <NumberInput
        label="Overlap"
        description="How far before the last complete sync an incremental one starts"
        classNames={{ wrapper: form.short }}
        suffix=" s"
        value={fields.incrementalOverlapSeconds}
        onChange={(incrementalOverlapSeconds) => onEdit({ incrementalOverlapSeconds })}
        error={errors.incrementalOverlapSeconds}
        allowDecimal={false}
        allowNegative={false}
        disabled={disabled}
      />
    </Card>
  );
}
