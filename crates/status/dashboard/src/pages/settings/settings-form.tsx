import { Button, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useBlocker } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { asProblem, faultsByField } from "../../api/problem";
import { useChangeSettings } from "../../api/queries";
import { useMay } from "../../api/session";
import type { Settings, SettingsChange } from "../../api/types";
import { plural } from "../../format/numbers";
import { ProblemNote } from "../../ui/answer";
import { Confirm } from "../../ui/dialog";
import { Card } from "../../ui/page";
import { Time } from "../../ui/time";
import { SchedulePreview } from "./schedule-preview";

interface Fields {
  enableScheduledSync: boolean;
  scheduleCron: string;
  scheduleTimeZone: string;
  pageSize: number | string;
  retrySeconds: (number | string)[];
}

const fieldsOf = (settings: Settings): Fields => ({
  enableScheduledSync: settings.enableScheduledSync,
  scheduleCron: settings.scheduleCron,
  scheduleTimeZone: settings.scheduleTimeZone,
  pageSize: settings.pageSize,
  retrySeconds: settings.retryDelaysMs.map((ms) => ms / 1000),
});

/** What the form says otherwise than the settings; nothing else is sent. */
function changeOf(settings: Settings, fields: Fields): SettingsChange {
  const change: SettingsChange = {};
  if (fields.enableScheduledSync !== settings.enableScheduledSync)
    change.enableScheduledSync = fields.enableScheduledSync;
  if (fields.scheduleCron !== settings.scheduleCron) change.scheduleCron = fields.scheduleCron;
  if (fields.scheduleTimeZone !== settings.scheduleTimeZone)
    change.scheduleTimeZone = fields.scheduleTimeZone;
  if (Number(fields.pageSize) !== settings.pageSize) change.pageSize = Number(fields.pageSize);
  const delays = fields.retrySeconds.map((seconds) => Math.round(Number(seconds) * 1000));
  if (delays.some((ms, place) => ms !== settings.retryDelaysMs[place])) change.retryDelaysMs = delays;
  return change;
}

function timeZones(chosen: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return [...new Set(["UTC", chosen, ...known])];
}

const WAITS = ["Before the second attempt", "Before the third", "Before the fourth"];

export function SettingsForm({ settings }: { settings: Settings }) {
  const may = useMay("admin");
  const save = useChangeSettings();
  const [draft, setDraft] = useState<Fields | null>(null);
  const fields = draft ?? fieldsOf(settings);
  const change = changeOf(settings, fields);
  const changes = Object.keys(change).length;
  const dirty = draft !== null && changes > 0;
  const zones = useMemo(() => timeZones(settings.scheduleTimeZone), [settings.scheduleTimeZone]);
  const leaving = useBlocker({ shouldBlockFn: () => dirty, enableBeforeUnload: dirty, withResolver: true });

  const set = (part: Partial<Fields>) => {
    setDraft({ ...fields, ...part });
    if (save.error) save.reset();
  };
  const problem = save.error ? asProblem(save.error) : null;
  const faults = faultsByField(problem);
  const retryFault = (place: number) =>
    faults[`retryDelaysMs.${place}`] ?? (place === 0 ? faults.retryDelaysMs : undefined);
  const marked = Object.keys(faults).length > 0;

  const submit = () =>
    save.mutate(
      { version: settings.version, change },
      {
        onSuccess: () => {
          setDraft(null);
          notifications.show({ title: "Settings saved", message: "They hold from now on.", color: "green" });
        },
      },
    );

  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (dirty) submit();
      }}
    >
      {!may && (
        <p className="note" data-tone="neutral">
          <span>You may look. Settings are changed by an admin.</span>
        </p>
      )}
      <fieldset disabled={!may} className="stack">
        <Card title="Schedule">
          <div className="form">
            <Switch
              label="Start a full sync by the schedule"
              checked={fields.enableScheduledSync}
              onChange={(event) => set({ enableScheduledSync: event.currentTarget.checked })}
              error={faults.enableScheduledSync}
            />
            <div className="form-columns">
              <TextInput
                label="Cron expression"
                description="Minute, hour, day of month, month, day of week"
                className="mono-input"
                value={fields.scheduleCron}
                onChange={(event) => set({ scheduleCron: event.currentTarget.value })}
                error={faults.scheduleCron}
                spellCheck={false}
                autoComplete="off"
              />
              <Select
                label="Time zone"
                description="In which the hours are meant"
                data={zones}
                value={fields.scheduleTimeZone}
                onChange={(zone) => zone && set({ scheduleTimeZone: zone })}
                error={faults.scheduleTimeZone}
                searchable
                allowDeselect={false}
                disabled={!may}
                limit={60}
                maxDropdownHeight={260}
                nothingFoundMessage="No such zone"
              />
            </div>
            <SchedulePreview
              cron={fields.scheduleCron}
              timeZone={fields.scheduleTimeZone}
              on={fields.enableScheduledSync}
            />
          </div>
        </Card>
        <Card title="Reading and retrying">
          <div className="form">
            <NumberInput
              label="Page size"
              description="Records asked of the onboarding portal at once, 1 to 1,000"
              className="short"
              value={fields.pageSize}
              onChange={(pageSize) => set({ pageSize })}
              error={faults.pageSize}
              allowDecimal={false}
              allowNegative={false}
              disabled={!may}
            />
            <div className="form-columns three">
              {WAITS.map((label, place) => (
                <NumberInput
                  key={label}
                  label={label}
                  suffix=" s"
                  value={fields.retrySeconds[place] ?? ""}
                  onChange={(seconds) =>
                    set({
                      retrySeconds: fields.retrySeconds.map((old, at) => (at === place ? seconds : old)),
                    })
                  }
                  error={retryFault(place)}
                  allowNegative={false}
                  disabled={!may}
                />
              ))}
            </div>
            <p className="dim">
              A page or an event that fails for a passing reason is tried four times, then it is a dead
              letter.
            </p>
          </div>
        </Card>
      </fieldset>
      {problem && !marked && <ProblemNote problem={problem} />}
      <div className="save-bar" data-dirty={dirty || undefined}>
        <span className="dim">
          {dirty ? (
            `${plural(changes, "change")} not saved`
          ) : (
            <>
              Version {settings.version}, by {settings.updatedBy} <Time iso={settings.updatedAt} />
            </>
          )}
        </span>
        {may && (
          <span className="actions">
            <Button
              variant="default"
              disabled={!dirty}
              onClick={() => {
                setDraft(null);
                save.reset();
              }}
            >
              Discard
            </Button>
            <Button type="submit" disabled={!dirty} loading={save.isPending}>
              Save settings
            </Button>
          </span>
        )}
      </div>
      <Confirm
        opened={leaving.status === "blocked"}
        title="Leave without saving?"
        deed="Leave without saving"
        danger
        busy={false}
        error={null}
        onClose={() => leaving.reset?.()}
        onConfirm={() => leaving.proceed?.()}
      >
        <p>{plural(changes, "change")} to the settings would be lost.</p>
      </Confirm>
    </form>
  );
}
