import { Button, NativeSelect, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useBlocker } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { asProblem, faultsByField } from "../../api/problem";
import { useChangeSettings } from "../../api/queries";
import { useMay } from "../../api/session";
import type { MissingPolicy, Mode, Settings } from "../../api/types";
import { plural } from "../../format/numbers";
import { Confirm } from "../../ui/confirm";
import { Card } from "../../ui/page";
import { ProblemNote } from "../../ui/query-result";
import { Time } from "../../ui/time";
import { changeOf, type Draft, type Fields, withDraft } from "./fields";
import { SchedulePreview } from "./schedule-preview";

function timeZones(chosen: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return [...new Set(["UTC", chosen, ...known])];
}

const WAITS = ["Wait before the second attempt", "Before the third", "Before the fourth"];

export function SettingsForm({ settings }: { settings: Settings }) {
  const may = useMay("admin");
  const save = useChangeSettings();
  const [draft, setDraft] = useState<Draft | null>(null);
  const fields = withDraft(settings, draft);
  const change = changeOf(settings, fields);
  const changes = Object.keys(change).length;
  const dirty = draft !== null && changes > 0;
  const zones = useMemo(() => timeZones(settings.scheduleTimeZone), [settings.scheduleTimeZone]);
  const leaving = useBlocker({ shouldBlockFn: () => dirty, enableBeforeUnload: dirty, withResolver: true });

  const set = (part: Partial<Fields>) => {
    setDraft({ version: draft?.version ?? settings.version, touched: { ...draft?.touched, ...part } });
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
              label="Start a sync by the schedule"
              checked={fields.enableScheduledSync}
              onChange={(event) => set({ enableScheduledSync: event.currentTarget.checked })}
              error={faults.enableScheduledSync}
            />
            <div className="form-columns">
              <NativeSelect
                label="What it starts"
                description="Incremental: only what has changed since the last complete sync"
                data={[
                  { value: "full", label: "Full sync" },
                  { value: "incremental", label: "Incremental sync" },
                ]}
                value={fields.scheduleMode}
                onChange={(event) => set({ scheduleMode: event.currentTarget.value as Mode })}
                error={faults.scheduleMode}
                disabled={!may}
              />
              <NumberInput
                label="Overlap of incremental syncs"
                description="How far before the last complete sync they look"
                suffix=" s"
                value={fields.incrementalOverlapSeconds}
                onChange={(incrementalOverlapSeconds) => set({ incrementalOverlapSeconds })}
                error={faults.incrementalOverlapSeconds}
                allowDecimal={false}
                allowNegative={false}
                disabled={!may}
              />
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
                withScrollArea={false}
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
        <Card title="Records that the onboarding portal lists no more">
          <div className="form">
            <div className="form-columns">
              <NativeSelect
                label="A full sync"
                description="Nothing is ever deleted"
                data={[
                  { value: "keep", label: "Counts them, and keeps them active" },
                  { value: "deactivate", label: "Deactivates them" },
                ]}
                value={fields.missingRecords}
                onChange={(event) => set({ missingRecords: event.currentTarget.value as MissingPolicy })}
                error={faults.missingRecords}
                disabled={!may}
              />
              <NumberInput
                label="Asks an operator above"
                description="Of the active records of a kind; and always about critical equipment"
                suffix=" %"
                value={fields.deactivationLimitPercent}
                onChange={(deactivationLimitPercent) => set({ deactivationLimitPercent })}
                error={faults.deactivationLimitPercent}
                allowDecimal={false}
                allowNegative={false}
                disabled={!may || fields.missingRecords === "keep"}
              />
            </div>
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
      {dirty && draft.version !== settings.version && (
        <p className="note" data-tone="warn" role="status">
          <span>
            {settings.updatedBy} has changed the settings while you typed. What you did not touch shows as it
            is now; what you changed is kept, and is not saved yet.
          </span>
        </p>
      )}
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
        keep="Stay here"
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
