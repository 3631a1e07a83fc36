import { Button, Modal } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { keys } from "../../api/queries/keys";
import { useClaimPassword, useReissuePassword } from "../../api/queries/users";
import type { User } from "../../api/types";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { CopyableId } from "../../ui/copyable-id";
import layout from "../../ui/layout.module.css";
import { Note } from "../../ui/note";
import text from "../../ui/text.module.css";
import { Time } from "../../ui/time";

/** Claims the temporary password, which is shown once, or has a new one made. */
export function TemporaryPasswordActions({ user }: { user: User }) {
  return (
    <div className={layout.actions}>
      <Claim user={user} />
      {user.maySignIn && <Reissue user={user} />}
      {!user.maySignIn && <p className={text.dim}>A user who may not sign in gets no new password.</p>}
    </div>
  );
}

/** Stays mounted after the claim: the password is nowhere else. */
function Claim({ user }: { user: User }) {
  const claim = useClaimPassword(user.id);
  const [isOpen, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    claim.reset();
  };
  return (
    <>
      {user.password === "to_claim" && <Button onClick={() => setOpen(true)}>Claim password</Button>}
      <ConfirmDialog
        opened={isOpen && !claim.data}
        title="Claim the temporary password?"
        confirmLabel="Claim and show"
        busy={claim.isPending}
        error={claim.error}
        onClose={close}
        onConfirm={() => claim.mutate()}
      >
        <p>
          The password of <bdi className={text.breakAnywhere}>{user.email}</bdi> is shown once, and the audit
          log records that you have claimed it. The user must change it at the first sign-in.
        </p>
      </ConfirmDialog>
      <Modal.Root
        opened={claim.data !== undefined}
        onClose={close}
        closeOnClickOutside={false}
        centered
        size="sm"
      >
        <Modal.Overlay />
        <Modal.Content>
          <Modal.Header renderRoot={(header) => <div {...header} />}>
            <Modal.Title>Temporary password</Modal.Title>
          </Modal.Header>
          <Modal.Body>
            {claim.data && (
              <div className={layout.stack}>
                <p>
                  <CopyableId text={claim.data.password} name="temporary password" length={200} />
                </p>
                <p>
                  It is not shown again. It expires <Time iso={claim.data.expiresAt} />.
                </p>
                <Button data-autofocus variant="default" onClick={close}>
                  I have noted it
                </Button>
              </div>
            )}
          </Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </>
  );
}

/** How often the list is fetched again until the worker has made the password, in ms. */
const REISSUE_INTERVAL = 2000;

function Reissue({ user }: { user: User }) {
  const cache = useQueryClient();
  const reissue = useReissuePassword(user.id);
  const [isOpen, setOpen] = useState(false);
  // The expiry of the old password tells the new one apart from it.
  const [oldExpiry, setOldExpiry] = useState<string | null>(null);
  const isMade = user.password === "to_claim" && user.passwordExpiresAt !== oldExpiry;
  const isWaiting = reissue.isSuccess && !isMade;
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => cache.invalidateQueries({ queryKey: keys.users }), REISSUE_INTERVAL);
    return () => clearInterval(timer);
  }, [isWaiting, cache]);
  const close = () => setOpen(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Make a new password
      </Button>
      {reissue.isSuccess && (
        <Note tone="info" role="status">
          {isMade ? "The new password can be claimed." : "A worker is making the new password."}
        </Note>
      )}
      <ConfirmDialog
        opened={isOpen}
        title="Make a new temporary password?"
        confirmLabel="Make a new password"
        danger
        busy={reissue.isPending}
        error={reissue.error}
        onClose={() => {
          close();
          reissue.reset();
        }}
        onConfirm={() => {
          setOldExpiry(user.passwordExpiresAt ?? null);
          reissue.mutate(undefined, { onSuccess: close });
        }}
      >
        <p>
          The present password of <bdi className={text.breakAnywhere}>{user.email}</bdi> stops working at
          once. A worker makes a new one within seconds, which can be claimed once.
        </p>
      </ConfirmDialog>
    </>
  );
}
