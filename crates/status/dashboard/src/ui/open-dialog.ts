/** Whether a dialog or drawer is open. Keys of the page behind it have no effect then. */
export const isDialogOpen = (): boolean => document.querySelector("[role=dialog][aria-modal=true]") !== null;
