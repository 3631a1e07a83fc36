import { expect, test } from "vitest";
import type { RoleMapping, User } from "../../api/types";
import { roleReason } from "./role-reason";

const user: User = {
  id: "0193",
  sourceId: "u-1",
  email: "a…@ship.example",
  rank: "Chief Engineer",
  department: "engine",
  workplace: "ship",
  role: "chief_engineer",
  roleMappingVersion: 2,
  vesselIds: [],
  maySignIn: true,
  password: "none",
};
const mapping: RoleMapping = {
  version: 2,
  createdAt: "2026-11-24T05:00:00Z",
  createdBy: "anna",
  rules: [
    { rank: "master", workplace: "ship", role: "master" },
    { rank: "chief_engineer", workplace: "ship", department: "engine", role: "chief_engineer" },
  ],
};

test("the first rule that matches is named", () => {
  expect(roleReason(user, mapping)).toBe(
    "Rule 2 of the role mapping: Chief engineer, engine department, on a ship (version 2).",
  );
});

test("a role of another version, or of a rule that is not recognized, claims no rule", () => {
  expect(roleReason(user, { ...mapping, version: 3 })).toBe("By version 2 of the role mapping.");
  expect(roleReason({ ...user, role: "crew" }, mapping)).toBe("By version 2 of the role mapping.");
  expect(roleReason(user, undefined)).toBe("By version 2 of the role mapping.");
});
