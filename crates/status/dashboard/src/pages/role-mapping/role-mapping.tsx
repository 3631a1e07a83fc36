import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem, errorsByField } from "../../api/problem";
import { getRoleMapping, useChangeRoleMapping, usePreviewRoleMapping } from "../../api/queries/role-mapping";
import { useHasRole } from "../../api/session";
import type { RoleMapping } from "../../api/types";
import { plural } from "../../format/numbers";
import { Card } from "../../ui/card";
import layout from "../../ui/layout.module.css";
import { LeaveDialog } from "../../ui/leave-dialog";
import { Note } from "../../ui/note";
import { Page } from "../../ui/page";
import { ProblemNote } from "../../ui/problem-note";
import { QueryResult } from "../../ui/query-result";
import { SaveBar } from "../../ui/save-bar";
import { StatusBanner } from "../../ui/status-banner";
import { Time } from "../../ui/time";
import {
  changeCount,
  type Draft,
  type DraftRule,
  draftOf,
  marksOf,
  placed,
  removedCount,
  rulesOf,
  without,
} from "./draft";
import { Effect } from "./effect";
import { RuleDialog } from "./rule-dialog";
import { RulesTable } from "./rules-table";

/** Which role a user gets by rank, workplace and department. */
export function RoleMappingPage() {
  const mapping = useQuery(getRoleMapping());
  return (
    <Page title="Role mapping" actions={<Link to="/users">All users</Link>}>
      <QueryResult query={mapping} lines={12}>
        {(data) => <MappingForm mapping={data} />}
      </QueryResult>
    </Page>
  );
}

interface Edited {
  rule: DraftRule;
  place: number;
  isNew: boolean;
}

const NEW_RULE = { rank: "", workplace: "ship", department: "", role: "crew_readonly", savedAt: null };

export function MappingForm({ mapping }: { mapping: RoleMapping }) {
  const isAdmin = useHasRole("admin");
  const [edited, setEdited] = useState<Draft | null>(null);
  const [dialog, setDialog] = useState<Edited | null>(null);
  const [added, setAdded] = useState(0);
  const preview = usePreviewRoleMapping();
  const save = useChangeRoleMapping();
  const draft = edited ?? draftOf(mapping);
  const isStale = draft.version !== mapping.version;
  const changes = isStale ? draft.rules.length : changeCount(draft, mapping);
  const isDirty = edited !== null && changes > 0;
  const marks = marksOf(draft, mapping);
  const problem = (save.error ?? preview.error) ? asProblem(save.error ?? preview.error) : null;
  const errors = errorsByField(problem);
  const errorOf = (at: number) =>
    Object.entries(errors)
      .filter(([name]) => name === `rules.${at}` || name.startsWith(`rules.${at}.`))
      .map(([, detail]) => detail)
      .join(" ") || undefined;
  // What was previewed is what is saved.
  const edit = (next: Draft) => {
    setEdited(next);
    setDialog(null);
    preview.reset();
    save.reset();
  };
  const discard = () => {
    setEdited(null);
    preview.reset();
    save.reset();
  };
  const submit = () =>
    save.mutate(
      { version: draft.version, rules: rulesOf(draft) },
      {
        onSuccess: ({ changed }) => {
          discard();
          notifications.show({
            title: "Role mapping saved",
            message:
              changed === 0 ? "No user has another role." : `${plural(changed, "user")} got another role.`,
            color: "green",
          });
        },
      },
    );
  return (
    <>
      <StatusBanner
        status={{
          tone: "neutral",
          headline: `${plural(mapping.rules.length, "rule")} in force`,
          detail:
            "The first rule that matches a user gives the role. A user whom no rule matches may only read. Roles set by hand stay.",
        }}
      />
      {!isAdmin && <Note tone="neutral">Read-only. The role mapping is changed by an admin.</Note>}
      {isDirty && isStale && (
        <Note
          tone="warn"
          role="status"
          actions={
            <Button size="xs" variant="default" onClick={discard}>
              Show the new version
            </Button>
          }
        >
          {mapping.createdBy} changed the rules while you were editing. To save, start from the new version.
        </Note>
      )}
      {problem && !(isStale && problem.status === 412) && <ProblemNote problem={problem} />}
      {preview.data && !isStale && <Effect effect={preview.data} />}
      <Card
        title="Rules"
        aside={
          isAdmin && (
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                setAdded(added + 1);
                setDialog({
                  rule: { ...NEW_RULE, key: `new-${added}` },
                  place: draft.rules.length + 1,
                  isNew: true,
                });
              }}
            >
              Add rule
            </Button>
          )
        }
      >
        <RulesTable
          rows={draft.rules.map((rule, at) => ({
            rule,
            place: at + 1,
            mark: isDirty ? (marks[at] ?? null) : null,
            error: errorOf(at),
          }))}
          actions={
            isAdmin
              ? {
                  onEdit: ({ rule, place }) => setDialog({ rule, place, isNew: false }),
                  onRemove: ({ rule }) => edit(without(draft, rule.key)),
                }
              : null
          }
        />
      </Card>
      <SaveBar isDirty={isDirty} status={isDirty ? changesText(draft, mapping, changes) : savedBy(mapping)}>
        {isAdmin && (
          <span className={layout.actions}>
            <Button variant="default" disabled={!isDirty} onClick={discard}>
              Discard
            </Button>
            {preview.data && !isStale ? (
              <Button loading={save.isPending} onClick={submit}>
                Save role mapping
              </Button>
            ) : (
              <Button
                disabled={!isDirty || isStale}
                loading={preview.isPending}
                onClick={() =>
                  preview.mutate(rulesOf(draft), { onSuccess: () => window.scrollTo({ top: 0 }) })
                }
              >
                Preview effect
              </Button>
            )}
          </span>
        )}
      </SaveBar>
      {dialog && (
        <RuleDialog
          key={dialog.rule.key}
          {...dialog}
          count={draft.rules.length + (dialog.isNew ? 1 : 0)}
          onApply={(rule, place) => edit(placed(draft, rule, place))}
          onClose={() => setDialog(null)}
        />
      )}
      <LeaveDialog changes={isDirty ? changes : 0} of="the role mapping" />
    </>
  );
}

function changesText(draft: Draft, mapping: RoleMapping, changes: number): string {
  const removed = draft.version === mapping.version ? removedCount(draft, mapping) : 0;
  return `${plural(changes, "unsaved change")}${removed > 0 ? `, ${plural(removed, "rule")} removed` : ""}`;
}

const savedBy = (mapping: RoleMapping) => (
  <>
    Version {mapping.version}, by {mapping.createdBy} <Time iso={mapping.createdAt} />
  </>
);
