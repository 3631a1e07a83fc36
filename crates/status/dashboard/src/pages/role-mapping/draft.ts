// The rules of the role mapping while an admin edits them.
import type { RoleMapping, RoleRule } from "../../api/types";

/** A rule with its place in the saved mapping; null of a new one. */
export interface DraftRule extends RoleRule {
  savedAt: number | null;
  /** Tells the rows of a list apart. */
  key: string;
}

export interface Draft {
  /** Version that is being edited. */
  version: number;
  rules: DraftRule[];
}

export const draftOf = (mapping: RoleMapping): Draft => ({
  version: mapping.version,
  rules: mapping.rules.map((rule, at) => ({ ...rule, savedAt: at, key: `saved-${at}` })),
});

/** The rules as the API takes them. An empty department is none. */
export const rulesOf = ({ rules }: Draft): RoleRule[] =>
  rules.map(({ rank, workplace, department, role }) => ({
    rank: rank.trim(),
    workplace,
    role,
    ...(department?.trim() ? { department: department.trim() } : {}),
  }));

const sameRule = (one: RoleRule, other: RoleRule): boolean =>
  one.rank === other.rank &&
  one.workplace === other.workplace &&
  (one.department ?? "") === (other.department ?? "") &&
  one.role === other.role;

export type Mark = "new" | "changed" | "moved" | null;

/** What was done to each rule. A rule counts as moved where it has left the order of the others, not where others came or went. */
export function marksOf(draft: Draft, mapping: RoleMapping): Mark[] {
  const kept = draft.rules.flatMap(({ savedAt }) => (savedAt === null ? [] : [savedAt]));
  const inOrder = longestRising(kept);
  return draft.rules.map((rule) => {
    if (rule.savedAt === null) return "new";
    const saved = mapping.rules[rule.savedAt];
    if (!saved || !sameRule(saved, rule)) return "changed";
    return inOrder.has(rule.savedAt) ? null : "moved";
  });
}

/** The members of a longest rising part of the numbers: the rules that have stayed in their order. */
function longestRising(numbers: number[]): Set<number> {
  const lengths: number[] = [];
  const previous: number[] = [];
  let best = -1;
  numbers.forEach((number, at) => {
    lengths[at] = 1;
    previous[at] = -1;
    for (let before = 0; before < at; before++) {
      const length = (lengths[before] ?? 0) + 1;
      if ((numbers[before] ?? 0) < number && length > (lengths[at] ?? 0)) {
        lengths[at] = length;
        previous[at] = before;
      }
    }
    if (best < 0 || (lengths[at] ?? 0) > (lengths[best] ?? 0)) best = at;
  });
  const members = new Set<number>();
  for (let at = best; at >= 0; at = previous[at] ?? -1) members.add(numbers[at] ?? -1);
  return members;
}

export const removedCount = (draft: Draft, mapping: RoleMapping): number =>
  mapping.rules.length - draft.rules.filter(({ savedAt }) => savedAt !== null).length;

export const changeCount = (draft: Draft, mapping: RoleMapping): number =>
  marksOf(draft, mapping).filter(Boolean).length + removedCount(draft, mapping);

/** The draft with the rule at its place, counted from 1. */
export function placed(draft: Draft, rule: DraftRule, place: number): Draft {
  const rules = draft.rules.filter(({ key }) => key !== rule.key);
  rules.splice(Math.min(Math.max(1, place), rules.length + 1) - 1, 0, rule);
  return { ...draft, rules };
}

export const without = (draft: Draft, key: string): Draft => ({
  ...draft,
  rules: draft.rules.filter((rule) => rule.key !== key),
});
