// Commands to syncs.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../client";
import type { MissingPolicy, TriggerRequest } from "../types";
import { keys } from "./keys";

export const useTriggerSync = () => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: TriggerRequest) => unwrap(client.POST("/api/sync/trigger", { body })),
    // The page of the new sync opens meanwhile.
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.overview });
      cache.invalidateQueries({ queryKey: keys.histories });
    },
  });
};

export const useUndoSync = (syncId: string) => {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(client.POST("/api/sync/status/{syncId}/undo", { params: { path: { syncId } } })),
    onSettled: () =>
      Promise.all(
        [keys.syncs, keys.overview, keys.records, keys.dataQuality].map((queryKey) =>
          cache.invalidateQueries({ queryKey }),
        ),
      ),
  });
};

export const useCancelSync = (syncId: string) =>
  useSyncCommand(() =>
    unwrap(client.POST("/api/sync/syncs/{syncId}/cancel", { params: { path: { syncId } } })),
  );

export const useResumeSync = (syncId: string) =>
  useSyncCommand(() =>
    unwrap(client.POST("/api/sync/syncs/{syncId}/resume", { params: { path: { syncId } } })),
  );

export const useRetrySync = (syncId: string) =>
  useSyncCommand(() =>
    unwrap(client.POST("/api/sync/syncs/{syncId}/retry", { params: { path: { syncId } } })),
  );

export const useConfirmSync = (syncId: string) =>
  useSyncCommand((decision: MissingPolicy) =>
    unwrap(
      client.POST("/api/sync/syncs/{syncId}/confirm", {
        params: { path: { syncId } },
        body: { decision },
      }),
    ),
  );

export const useAcceptOlderRecords = (syncId: string) =>
  useSyncCommand((expectedRecords: number) =>
    unwrap(
      client.POST("/api/sync/syncs/{syncId}/accept-older", {
        params: { path: { syncId } },
        body: { expectedRecords },
      }),
    ),
  );

/** A command to one sync. Afterwards the sync, the lists of syncs and the overview are fetched again. */
function useSyncCommand<Result, Input = void>(mutationFn: (input: Input) => Promise<Result>) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () => {
      cache.invalidateQueries({ queryKey: keys.syncs });
      cache.invalidateQueries({ queryKey: keys.overview });
    },
  });
}
