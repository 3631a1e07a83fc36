import { expect, test } from "vitest";
import { labelOf, SYNC_STATES } from "./states";

test("an unknown state is labelled with its own word", () => {
  expect(labelOf(SYNC_STATES, "completed").tone).toBe("good");
  expect(labelOf(SYNC_STATES, "held_back")).toMatchObject({ tone: "neutral", word: "held back" });
});
