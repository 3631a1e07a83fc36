import { notifications } from "@mantine/notifications";
import { type ReactNode, useState } from "react";
import { useReplay } from "../../api/queries";
import type { ReplayRequest } from "../../api/types";
import { plural } from "../../format/numbers";
import { Confirm } from "../../ui/confirm";

/** Replays one dead letter (by id) or many, after saying how many. */
export function Replay(props: {
  which: string | ReplayRequest;
  amount: number;
  children: (ask: () => void) => ReactNode;
}) {
  const { which, amount } = props;
  const replay = useReplay();
  const [asked, setAsked] = useState(false);
  const close = () => {
    setAsked(false);
    replay.reset();
  };
  const them = amount === 1 ? "It goes" : "They go";
  return (
    <>
      {props.children(() => setAsked(true))}
      <Confirm
        opened={asked}
        title={`Replay ${plural(amount, "dead letter")}?`}
        deed={`Replay ${plural(amount, "dead letter")}`}
        busy={replay.isPending}
        error={replay.error}
        onClose={close}
        onConfirm={() =>
          replay.mutate(which, {
            onSuccess: ({ replaying }) => {
              close();
              notifications.show({
                title: `${plural(replaying, "dead letter")} on the way`,
                message: "The list shows what comes of it.",
                color: "blue",
              });
            },
          })
        }
      >
        <p>
          {them} back to {amount === 1 ? "its queue" : "their queues"} with a new budget of attempts. If the
          cause is still there, {amount === 1 ? "it dies" : "they die"} again and{" "}
          {amount === 1 ? "comes" : "come"} back here.
        </p>
      </Confirm>
    </>
  );
}
