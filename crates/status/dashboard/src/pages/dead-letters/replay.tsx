import { notifications } from "@mantine/notifications";
import { type ReactNode, useState } from "react";
import { useReplayDeadLetters } from "../../api/queries";
import type { ReplayRequest } from "../../api/types";
import { plural } from "../../format/numbers";
import { ConfirmDialog } from "../../ui/confirm-dialog";

/** Replays one dead letter (by id) or many, after confirmation. */
export function Replay(props: {
  target: string | ReplayRequest;
  count: number;
  children: (open: () => void) => ReactNode;
}) {
  const { target, count } = props;
  const replay = useReplayDeadLetters();
  const [isOpen, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    replay.reset();
  };
  const them = count === 1 ? "It goes" : "They go";
  return (
    <>
      {props.children(() => setOpen(true))}
      <ConfirmDialog
        opened={isOpen}
        title={`Replay ${plural(count, "dead letter")}?`}
        confirmLabel={`Replay ${plural(count, "dead letter")}`}
        busy={replay.isPending}
        error={replay.error}
        onClose={close}
        onConfirm={() =>
          replay.mutate(target, {
            onSuccess: ({ replaying }) => {
              close();
              notifications.show({
                title: `Replaying ${plural(replaying, "dead letter")}`,
                message: "The list shows the result.",
                color: "blue",
              });
            },
          })
        }
      >
        <p>
          {them} back to {count === 1 ? "its queue" : "their queues"} with a new budget of attempts. If the
          cause is still there, {count === 1 ? "it dies" : "they die"} again and{" "}
          {count === 1 ? "comes" : "come"} back here.
        </p>
      </ConfirmDialog>
    </>
  );
}
