import { NumberInput } from "@mantine/core";
import { Card } from "../../ui/card";
import form from "../../ui/form.module.css";
import text from "../../ui/text.module.css";
import type { FieldGroupProps } from "./fields";

const RETRY_DELAY_LABELS = ["Delay before attempt 2", "Delay before attempt 3", "Delay before attempt 4"];

export function PagingFields({ fields, errors, disabled, onEdit }: FieldGroupProps) {
  const retryError = (index: number) =>
    errors[`retryDelaysMs.${index}`] ?? (index === 0 ? errors.retryDelaysMs : undefined);
  const editDelay = (index: number, seconds: number | string) =>
    onEdit({ retrySeconds: fields.retrySeconds.map((old, at) => (at === index ? seconds : old)) });
  return (
    <Card title="Paging and retries" allowOverflow>
      <div className={form.fields}>
        <NumberInput
          label="Page size"
          description="Records per request to the onboarding portal, 1 to 1,000"
          classNames={{ wrapper: form.short }}
          value={fields.pageSize}
          onChange={(pageSize) => onEdit({ pageSize })}
          error={errors.pageSize}
          allowDecimal={false}
          allowNegative={false}
          disabled={disabled}
        />
        <div className={form.threeColumns}>
          {RETRY_DELAY_LABELS.map((label, index) => (
            <NumberInput
              key={label}
              label={label}
              suffix=" s"
              value={fields.retrySeconds[index] ?? ""}
              onChange={(seconds) => editDelay(index, seconds)}
              error={retryError(index)}
              allowNegative={false}
              disabled={disabled}
            />
          ))}
        </div>
        <p className={text.dim}>
          A page or an event with transient failures is attempted four times, then becomes a dead letter.
        </p>
      </div>
    </Card>
  );
}
