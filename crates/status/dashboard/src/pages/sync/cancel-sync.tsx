import { Button } from "@mantine/core";
import { useState } from "react";
import { useCancelSync } from "../../api/queries";
import { useMay } from "../../api/session";
import { Confirm } from "../../ui/dialog";

export function CancelSync({ syncId }: { syncId: string }) {
  const may = useMay("operator");
  const cancel = useCancelSync(syncId);
  const [asked, setAsked] = useState(false);
  if (!may) return null;
  const close = () => {
    setAsked(false);
    cancel.reset();
  };
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        Cancel sync
      </Button>
      <Confirm
        opened={asked}
        title="Cancel this sync?"
        deed="Cancel this sync"
        keep="Let it run"
        danger
        busy={cancel.isPending}
        error={cancel.error}
        onClose={close}
        onConfirm={() => cancel.mutate(undefined, { onSuccess: close })}
      >
        <p>Pages that are being written are finished, the rest is not begun. What has been written stays.</p>
      </Confirm>
    </>
  );
}
