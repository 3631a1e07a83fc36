import type { Tone } from "./states";

/** The status line that a page opens with. */
export interface Status {
  tone: Tone;
  headline: string;
  detail: string;
  figure?: { value: string; unit: string };
}
