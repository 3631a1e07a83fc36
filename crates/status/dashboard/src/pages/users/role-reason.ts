// Which rule of the role mapping gave a user the role.
import type { RoleMapping, User } from "../../api/types";
import { roleWord } from "../../format/states";

/** A rank as a rule's key: rules name ranks as codes or as people write them. */
const normalized = (rank: string): string =>
  rank
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim();

/**
 * Why the user has the role: the rule in words, if the mapping in force is the one that gave it and its first rule for the
 * user gives this very role. Otherwise only the version.
 */
export function roleReason(user: User, mapping: RoleMapping | undefined): string {
  const byVersion = `By version ${user.roleMappingVersion} of the role mapping.`;
  if (!mapping || mapping.version !== user.roleMappingVersion) return byVersion;
  const index = mapping.rules.findIndex(
    (rule) =>
      normalized(rule.rank) === normalized(user.rank) &&
      rule.workplace === user.workplace &&
      (!rule.department || normalized(rule.department) === normalized(user.department ?? "")),
  );
  const rule = mapping.rules[index];
  if (!rule || rule.role !== user.role) return byVersion;
  const where = rule.workplace === "ship" ? "on a ship" : "ashore";
  return `Rule ${index + 1} of the role mapping: ${roleWord(rule.rank)}${
    rule.department ? `, ${rule.department} department` : ""
  }, ${where} (version ${mapping.version}).`;
}
