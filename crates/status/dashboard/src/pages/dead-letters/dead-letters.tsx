import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getOverview, listDeadLetters } from "../../api/queries";
import { useMay } from "../../api/session";
import type { DeadLetter } from "../../api/types";
import { count, plural } from "../../format/numbers";
import { DEAD_LETTER_STATES, FAILURE_CLASSES, look } from "../../format/states";
import type { Verdict as Said } from "../../format/sync";
import { Badge } from "../../ui/badge";
import { Drawer } from "../../ui/confirm";
import { LiveList } from "../../ui/live-list";
import { Empty, Page, Verdict } from "../../ui/page";
import { StateFilter } from "../../ui/state-filter";
import type { Column } from "../../ui/table";
import { Time } from "../../ui/time";
import { DeadLetterDetails } from "./details";
import { Replay } from "./replay";

const SIZE = 20;
const route = getRouteApi("/dead-letters");

const COLUMNS: Column<DeadLetter>[] = [
  {
    key: "died",
    header: "Died",
    cell: (letter) => (
      <Link
        from="/dead-letters"
        to="/dead-letters"
        search={(old) => ({ ...old, open: letter.id })}
        data-row-link
        className="row-link"
      >
        <Time iso={letter.diedAt} full />
      </Link>
    ),
  },
  {
    key: "state",
    header: "State",
    narrow: "beside",
    cell: (letter) => <Badge look={look(DEAD_LETTER_STATES, letter.state)} />,
  },
  {
    key: "reason",
    header: "Reason",
    narrow: "line",
    cell: (letter) => <span className="wraps first-up">{letter.reason}</span>,
  },
  { key: "class", header: "Class", cell: (letter) => look(FAILURE_CLASSES, letter.class).word },
  {
    key: "kind",
    header: "Message",
    cell: (letter) => (
      <span className="two-lines">
        <span>{letter.kind.split(".").pop()}</span>
        <code className="dim">{letter.queue}</code>
      </span>
    ),
  },
  { key: "attempts", header: "Attempts", figure: true, cell: (letter) => count(letter.attempts) },
  {
    key: "replays",
    header: "Replays",
    figure: true,
    cell: (letter) => <span className={letter.replays === 0 ? "zero" : ""}>{count(letter.replays)}</span>,
  },
];

export function DeadLettersPage() {
  const { page = 1, state, open } = route.useSearch();
  const navigate = route.useNavigate();
  const letters = useQuery(listDeadLetters({ limit: SIZE, offset: (page - 1) * SIZE }, state));
  const waiting = useQuery(getOverview()).data?.deadLetters;
  const may = useMay("operator");
  const close = () => navigate({ search: (old) => ({ ...old, open: undefined }), resetScroll: false });

  return (
    <Page
      title="Dead letters"
      actions={
        <>
          <StateFilter
            states={DEAD_LETTER_STATES}
            value={state}
            onChange={(next) => navigate({ search: (old) => ({ ...old, page: undefined, state: next }) })}
          />
          {may && waiting !== undefined && waiting > 0 && (
            <Replay which={{ all: true }} amount={waiting}>
              {(ask) => <Button onClick={ask}>Replay all {count(waiting)}</Button>}
            </Replay>
          )}
        </>
      }
    >
      {waiting !== undefined && (
        <Verdict of={verdict(waiting)}>
          {waiting > 0 && state !== "dead" && (
            <Link from="/dead-letters" to="/dead-letters" search={(old) => ({ ...old, state: "dead" })}>
              Show only these
            </Link>
          )}
        </Verdict>
      )}
      <LiveList
        of={letters}
        what="dead letters"
        label="Dead letters"
        columns={COLUMNS}
        keyOf={(letter) => letter.id}
        page={page}
        size={SIZE}
        filter={state}
        empty={
          <Empty title={state ? "None in this state" : "No message has died yet"}>
            A message comes here when it has failed four times for a passing reason, or once for a lasting
            one.
          </Empty>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
      <Drawer opened={open !== undefined} title="Dead letter" onClose={close}>
        {open && <DeadLetterDetails id={open} />}
      </Drawer>
    </Page>
  );
}

const verdict = (waiting: number): Said =>
  waiting > 0
    ? {
        tone: "bad",
        sentence: `${plural(waiting, "dead letter")} ${waiting === 1 ? "waits" : "wait"}`,
        detail: "Attempts are used up, or none can succeed. Put the cause right, then replay.",
      }
    : {
        tone: "good",
        sentence: "None waits",
        detail: "Every message has been done, or is on its way.",
      };
