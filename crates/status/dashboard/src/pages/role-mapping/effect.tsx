import { Button } from "@mantine/core";
import { useState } from "react";
import type { RoleChange, RoleMappingEffect } from "../../api/types";
import { formatCount, plural } from "../../format/numbers";
import { permissionsText, roleWord } from "../../format/states";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/empty-state";
import { columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { TwoLines } from "../../ui/two-lines";

const column = columnsOf<RoleChange>();

const permissions = (id: "gains" | "loses", header: string) =>
  column.display({
    id,
    header,
    cell: ({ row: { original } }) =>
      original.kept || original[id].length === 0 ? (
        <span className={text.dim}>nothing</span>
      ) : (
        permissionsText(original[id])
      ),
  });

const columns = [
  column.display({
    id: "user",
    header: "User",
    meta: { rowHeader: true },
    cell: ({ row: { original: change } }) => (
      <TwoLines
        second={`${roleWord(change.rank)}${change.department ? `, ${change.department}` : ""}, ${change.workplace}`}
      >
        <bdi className={text.breakAnywhere}>{change.email}</bdi>
      </TwoLines>
    ),
  }),
  column.display({
    id: "role",
    header: "Role",
    meta: { narrow: "line" },
    cell: ({ row: { original: change } }) =>
      change.kept ? (
        <>
          {roleWord(change.from)} <span className={text.dim}>set by hand, stays</span>
        </>
      ) : (
        `${roleWord(change.from)} → ${roleWord(change.to)}`
      ),
  }),
  permissions("gains", "Gains"),
  permissions("loses", "Loses"),
];

/** Rows that are shown at first. */
const SHOWN_FIRST = 10;

/** Who would gain and lose what by the edited rules. */
export function Effect({ effect }: { effect: RoleMappingEffect }) {
  const [isWhole, setWhole] = useState(false);
  const { changed, kept, changes } = effect;
  const unlisted = changed + kept - changes.length;
  return (
    <Card title="Effect of the edited rules" aside={<span className={text.dim}>Nothing is saved yet</span>}>
      <p className={text.strong} role="status">
        {changed === 0
          ? "No user gets another role."
          : `${plural(changed, "user")} ${changed === 1 ? "gets" : "get"} another role.`}
        {kept > 0 &&
          ` ${plural(kept, "user")} ${kept === 1 ? "keeps a role" : "keep roles"} that were set by hand.`}
      </p>
      {changes.length === 0 ? (
        <EmptyState title="Nobody gains or loses a permission">
          The rules apply to users who come later, too.
        </EmptyState>
      ) : (
        <Table
          label="Users who get another role"
          columns={columns}
          data={isWhole ? changes : changes.slice(0, SHOWN_FIRST)}
          rowKey={({ userId }) => userId}
        />
      )}
      {changes.length > SHOWN_FIRST && !isWhole && (
        <div>
          <Button size="xs" variant="default" onClick={() => setWhole(true)}>
            Show all {formatCount(changes.length)} users
          </Button>
        </div>
      )}
      {unlisted > 0 && <p className={text.dim}>{formatCount(unlisted)} more are not listed.</p>}
    </Card>
  );
}
