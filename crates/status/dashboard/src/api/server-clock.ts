// The server's clock, by the Date of its responses: a browser's own clock may be wrong, and all times come from the server.

/** A smaller difference is the resolution of the Date header, or the way of the response. */
const TOLERANCE = 2500;

let offset = 0;

/** Learns from a response: its Date header, and when it was requested and received by the browser's clock. */
export function learnServerTime(date: string | null, requestedAt: number, receivedAt: number): void {
  const at = Date.parse(date ?? "");
  // A slow response says too little.
  if (Number.isNaN(at) || receivedAt < requestedAt || receivedAt - requestedAt > TOLERANCE) return;
  // The header is rounded down to a second.
  const difference = at + 500 - (requestedAt + receivedAt) / 2;
  offset = Math.abs(difference) > TOLERANCE ? Math.round(difference) : 0;
}

/** The time in ms since the epoch by the server's clock. */
export const serverNow = (): number => Date.now() + offset;

/** How far the server's clock is ahead of the browser's, in ms; 0 if they agree. */
export const clockOffset = (): number => offset;
