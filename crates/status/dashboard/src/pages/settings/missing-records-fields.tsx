import { NativeSelect, NumberInput } from "@mantine/core";
import type { MissingPolicy } from "../../api/types";
import { Card } from "../../ui/card";
import form from "../../ui/form.module.css";
import type { FieldGroupProps } from "./fields";

export function MissingRecordsFields({ fields, errors, disabled, onEdit }: FieldGroupProps) {
  return (
    <Card title="Records no longer in the onboarding portal" allowOverflow>
      <div className={form.fields}>
        <div className={form.columns}>
          <NativeSelect
            label="A full sync"
            description="Nothing is ever deleted"
            data={[
              { value: "keep", label: "Counts them and keeps them active" },
              { value: "deactivate", label: "Deactivates them" },
            ]}
            value={fields.missingRecords}
            onChange={(event) => onEdit({ missingRecords: event.currentTarget.value as MissingPolicy })}
            error={errors.missingRecords}
            disabled={disabled}
          />
          <NumberInput
            label="Ask an operator above"
            description="Share of the active records of a type; always asks about critical equipment"
            suffix=" %"
            value={fields.deactivationLimitPercent}
            onChange={(deactivationLimitPercent) => onEdit({ deactivationLimitPercent })}
            error={errors.deactivationLimitPercent}
            allowDecimal={false}
            allowNegative={false}
            disabled={disabled || fields.missingRecords === "keep"}
          />
        </div>
      </div>
    </Card>
  );
}
