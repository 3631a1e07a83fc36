import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { getOverview, listDeadLetters } from "../../api/queries";
import { useMay } from "../../api/session";
import type { DeadLetter } from "../../api/types";
import { count, plural } from "../../format/numbers";
import { DEAD_LETTER_STATES, FAILURE_CLASSES, look } from "../../format/states";
import { Answer } from "../../ui/answer";
import { Badge } from "../../ui/badge";
import { Drawer } from "../../ui/dialog";
import { Empty, Page, Verdict } from "../../ui/page";
import { Pager } from "../../ui/pager";
import { StateFilter } from "../../ui/state-filter";
import { type Column, Table } from "../../ui/table";
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
    cell: (letter) => <Badge look={look(DEAD_LETTER_STATES, letter.state)} />,
  },
  {
    key: "reason",
    header: "Reason",
    cell: (letter) => <span className="wraps">{letter.reason}</span>,
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
  { key: "replays", header: "Replays", figure: true, cell: (letter) => count(letter.replays) },
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
        <Verdict
          tone={waiting > 0 ? "bad" : "good"}
          sentence={
            waiting > 0
              ? `${plural(waiting, "dead letter")} ${waiting === 1 ? "waits" : "wait"}`
              : "None waits"
          }
        >
          {waiting > 0
            ? "These messages used up their attempts or can never succeed. Put the cause right, then replay."
            : "Every message has been done, or is on its way."}
        </Verdict>
      )}
      <Answer of={letters} lines={8}>
        {({ data, pagination }) =>
          pagination.total === 0 ? (
            <Empty title={state ? "None in this state" : "No dead letter, ever"}>
              A message comes here when it has failed four times for a passing reason, or once for a lasting
              one.
            </Empty>
          ) : (
            <>
              <Table
                label="Dead letters"
                columns={COLUMNS}
                rows={data}
                rowKey={(letter) => letter.id}
                linked
              />
              <Pager
                page={page}
                size={SIZE}
                total={pagination.total}
                what="dead letters"
                onPage={(next) =>
                  navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })
                }
              />
            </>
          )
        }
      </Answer>
      <Drawer opened={open !== undefined} title="Dead letter" onClose={close}>
        {open && <DeadLetterDetails id={open} />}
      </Drawer>
    </Page>
  );
}
