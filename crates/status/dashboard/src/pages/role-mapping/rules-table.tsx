import { Button } from "@mantine/core";
import { createContext, useContext } from "react";
import { roleWord } from "../../format/states";
import layout from "../../ui/layout.module.css";
import { columnsOf, Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import type { DraftRule, Mark } from "./draft";
import styles from "./role-mapping.module.css";

/** A rule with its place, what was done to it, and what the service says is wrong with it. */
export interface RuleRow {
  rule: DraftRule;
  place: number;
  mark: Mark;
  error: string | undefined;
}

interface Actions {
  onEdit: (row: RuleRow) => void;
  onRemove: (row: RuleRow) => void;
}
/** Null for those who may not change rules. */
const ActionsContext = createContext<Actions | null>(null);

const column = columnsOf<RuleRow>();
const columns = [
  column.display({
    id: "rank",
    header: "Rank",
    meta: { rowHeader: true },
    cell: ({ row: { original } }) => (
      <>
        <span className={styles.place}>{original.place}</span>
        <bdi>{roleWord(original.rule.rank)}</bdi>
        {original.mark && <span className={styles.mark}>{original.mark}</span>}
        {original.error && <p className={styles.error}>{original.error}</p>}
      </>
    ),
  }),
  column.display({
    id: "workplace",
    header: "Workplace",
    cell: ({ row }) => roleWord(row.original.rule.workplace),
  }),
  column.display({
    id: "department",
    header: "Department",
    cell: ({ row: { original } }) =>
      original.rule.department ? (
        <bdi>{roleWord(original.rule.department)}</bdi>
      ) : (
        <span className={text.dim}>any</span>
      ),
  }),
  column.display({ id: "role", header: "Role", cell: ({ row }) => roleWord(row.original.rule.role) }),
  column.display({
    id: "actions",
    header: "Change",
    meta: { narrow: "line" },
    cell: ({ row }) => <RuleActions row={row.original} />,
  }),
];
const readColumns = columns.slice(0, -1);

function RuleActions({ row }: { row: RuleRow }) {
  const actions = useContext(ActionsContext);
  const name = `rule ${row.place}, ${roleWord(row.rule.rank)}`;
  return (
    actions && (
      <span className={layout.actions}>
        <Button size="xs" variant="default" aria-label={`Edit ${name}`} onClick={() => actions.onEdit(row)}>
          Edit
        </Button>
        <Button
          size="xs"
          variant="default"
          aria-label={`Remove ${name}`}
          onClick={() => actions.onRemove(row)}
        >
          Remove
        </Button>
      </span>
    )
  );
}

/** The rules in their order. Without `actions` they are read only. */
export function RulesTable({ rows, actions }: { rows: RuleRow[]; actions: Actions | null }) {
  return (
    <ActionsContext.Provider value={actions}>
      <Table
        label="Rules"
        columns={actions ? columns : readColumns}
        data={rows}
        rowKey={({ rule }) => rule.key}
      />
    </ActionsContext.Provider>
  );
}
