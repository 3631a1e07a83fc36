import { expect, test } from "vitest";
import { causeSentence, causeWord, labelOf, modeWord, recordTypeNames, SYNC_STATES } from "./states";

test("an unknown state is labelled with its own word", () => {
  expect(labelOf(SYNC_STATES, "completed").tone).toBe("good");
  expect(labelOf(SYNC_STATES, "held_back")).toMatchObject({ tone: "neutral", word: "Held back" });
});

test("unknown causes, modes and record types are shown by their own words", () => {
  expect(causeWord("tide_table")).toBe("Tide table");
  expect(causeSentence("tide_table")).toBe("Started by: tide table");
  expect(modeWord("sparse")).toBe("Sparse");
  expect(recordTypeNames("spare_part")).toEqual({ one: "spare part", many: "Spare part" });
  expect(recordTypeNames("constructor").one).toBe("constructor");
});
