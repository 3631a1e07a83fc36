import { Button } from "@mantine/core";
import { useHasRole } from "../../api/session";
import type { Schedule } from "../../api/types";
import {
  definitionOf,
  FIXED_SCHEDULE,
  scheduleKind,
  scheduleState,
  scheduleWords,
} from "../../format/schedule";
import { formatScheduledTime } from "../../format/times";
import { useNow } from "../../ui/clock";
import { Fact, FactList } from "../../ui/fact-list";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";
import { DeleteAction, PauseAction, ResumeAction } from "./actions";
import { ScheduleRuns } from "./schedule-runs";
import { Ticks } from "./ticks";

/** One schedule: what it does, when it comes next, and what came of its earlier times. */
export function ScheduleDetails(props: { schedule: Schedule; onEdit: () => void; onDeleted: () => void }) {
  const { schedule, onEdit, onDeleted } = props;
  const isAdmin = useHasRole("admin");
  const isOperator = useHasRole("operator");
  const zone = schedule.timeZone ?? "UTC";
  const canDelete = isAdmin && schedule.name !== FIXED_SCHEDULE;
  return (
    <div className={layout.stack}>
      <span className={layout.actions}>
        <StateBadge label={scheduleState(schedule)} />
        <span className={text.strong}>{scheduleKind(definitionOf(schedule))}</span>
      </span>
      {schedule.pause && <PauseNote schedule={schedule} />}
      {isOperator && (
        <span className={layout.actions}>
          {isAdmin && <Button onClick={onEdit}>Edit</Button>}
          {schedule.pause && <ResumeAction schedule={schedule} />}
          {schedule.enabled && <PauseAction schedule={schedule} />}
          {canDelete && <DeleteAction schedule={schedule} onDeleted={onDeleted} />}
        </span>
      )}
      <section>
        <h3>{scheduleWords(schedule)}</h3>
        <ScheduleRuns preview={schedule.preview} timeZone={zone} isOn={schedule.nextRunAt != null} />
      </section>
      <ScheduleFacts schedule={schedule} />
      <Ticks schedule={schedule.name} />
    </div>
  );
}

function PauseNote({ schedule: { pause, timeZone } }: { schedule: Schedule }) {
  const now = useNow();
  if (!pause) return null;
  const zone = timeZone ?? "UTC";
  return (
    <Note tone="warn" title="Paused">
      <p>
        <bdi>{pause.by}</bdi> paused it <Time iso={pause.since} />
        {pause.until && `, until ${formatScheduledTime(pause.until, zone, now)} ${zone}`}:{" "}
        <bdi>{pause.reason}</bdi>
      </p>
    </Note>
  );
}

function ScheduleFacts({ schedule }: { schedule: Schedule }) {
  const { vesselImos = [], equipmentIds = [], companyId } = schedule;
  return (
    <FactList>
      <Fact name="Cron expression">
        <code>{schedule.cron}</code>, {schedule.timeZone}
      </Fact>
      {vesselImos.length > 0 && (
        <Fact name="Vessels">{vesselImos.map((imo) => `IMO ${imo}`).join(", ")}</Fact>
      )}
      {companyId && (
        <Fact name="Company">
          <code>{companyId}</code>
        </Fact>
      )}
      {equipmentIds.length > 0 && (
        <Fact name="Equipment">
          <code>{equipmentIds.join(", ")}</code>
        </Fact>
      )}
      <Fact name="If an earlier sync has not ended">
        {schedule.overlap === "allow" ? "starts all the same" : "skips this time"}
      </Fact>
      <Fact name="Version">
        {schedule.version}, by <bdi>{schedule.updatedBy}</bdi> <Time iso={schedule.updatedAt} />
      </Fact>
    </FactList>
  );
}
