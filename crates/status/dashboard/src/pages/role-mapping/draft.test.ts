import { expect, test } from "vitest";
import type { RoleMapping } from "../../api/types";
import { changeCount, draftOf, marksOf, placed, removedCount, rulesOf, without } from "./draft";

const mapping: RoleMapping = {
  version: 4,
  createdAt: "2026-11-24T05:00:00Z",
  createdBy: "anna",
  rules: ["master", "bosun", "cook"].map((rank) => ({ rank, workplace: "ship", role: "crew" })),
};
const draft = draftOf(mapping);
const [master, bosun] = draft.rules;
if (!master || !bosun) throw new Error("the draft has no rules");
const cadet = { rank: "cadet", workplace: "ship", role: "crew", savedAt: null, key: "new-1" };

test("a draft that was not edited has no change", () => {
  expect(changeCount(draft, mapping)).toBe(0);
  expect(rulesOf(draft)).toEqual(mapping.rules);
});

test("only the rule that was moved counts as moved", () => {
  const moved = placed(draft, master, 3);
  expect(moved.rules.map(({ rank }) => rank)).toEqual(["bosun", "cook", "master"]);
  expect(marksOf(moved, mapping)).toEqual([null, null, "moved"]);
  expect(changeCount(moved, mapping)).toBe(1);
});

test("a new rule before others moves none of them", () => {
  expect(marksOf(placed(draft, cadet, 1), mapping)).toEqual(["new", null, null, null]);
});

test("a rule that was changed and one that was removed are two changes", () => {
  const edited = without(placed(draft, { ...bosun, role: "officer" }, 2), master.key);
  expect(marksOf(edited, mapping)).toEqual(["changed", null]);
  expect([removedCount(edited, mapping), changeCount(edited, mapping)]).toEqual([1, 2]);
});

test("a rule edited back to what was saved is no change", () => {
  const back = placed(placed(draft, { ...bosun, role: "officer" }, 2), { ...bosun, department: "" }, 2);
  expect(changeCount(back, mapping)).toBe(0);
});

test("an empty department is sent as none, and texts without spaces around", () => {
  const spaced = placed(draft, { ...cadet, rank: " cadet ", department: " " }, 1);
  expect(rulesOf(spaced)[0]).toEqual({ rank: "cadet", workplace: "ship", role: "crew" });
});

test("a place beyond the list is its end", () => {
  expect(placed(draft, cadet, 99).rules.at(-1)).toBe(cadet);
  expect(placed(draft, cadet, 0).rules[0]).toBe(cadet);
});
