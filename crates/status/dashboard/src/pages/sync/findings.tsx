import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { listFindings } from "../../api/queries";
import type { Finding } from "../../api/types";
import { look, RECORD_TYPES, SEVERITIES } from "../../format/states";
import { capital } from "../../format/words";
import { Answer } from "../../ui/answer";
import { Badge } from "../../ui/badge";
import { Copy } from "../../ui/copy";
import { Empty } from "../../ui/page";
import { Pager } from "../../ui/pager";
import { type Column, Table } from "../../ui/table";

const SIZE = 20;
const route = getRouteApi("/syncs/$syncId");

const COLUMNS: Column<Finding>[] = [
  {
    key: "record",
    header: "Record",
    cell: (finding) => (
      <span className="two-lines">
        <span className="strong">
          {finding.label?.replace(/IMO (?=\d)/, "IMO\u00a0") ??
            `${capital(RECORD_TYPES[finding.recordType].one)} without a name`}
        </span>
        <span className="dim one-line">
          {finding.recordType} <Copy text={finding.sourceId} what="record id" />
        </span>
      </span>
    ),
  },
  {
    key: "severity",
    header: "Finding",
    narrow: "beside",
    cell: (finding) => <Badge look={look(SEVERITIES, finding.severity)} />,
  },
  {
    key: "field",
    header: "Field and value",
    narrow: "line",
    cell: (finding) => (
      <span className="two-lines">
        {finding.pointer ? <code>{finding.pointer}</code> : <span className="dim">whole record</span>}
        {finding.value != null && <code className="value-text">{finding.value}</code>}
      </span>
    ),
  },
  {
    key: "reason",
    header: "Reason",
    narrow: "line",
    cell: (finding) => (
      <span className="two-lines">
        <span className="first-up">{finding.message}</span>
        <code className="dim">{finding.code}</code>
      </span>
    ),
  },
];

/** What was rejected, or let in with a warning: which record, which field, why, and the value. */
export function Findings({ syncId, expected, open }: { syncId: string; expected: number; open: boolean }) {
  const { findings: page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const findings = useQuery({
    ...listFindings(syncId, { limit: SIZE, offset: (page - 1) * SIZE }),
    enabled: expected > 0,
  });
  if (expected === 0) {
    return (
      <Empty title="No findings">
        {open ? "Records that are rejected show here, with field and reason." : "Every record passed."}
      </Empty>
    );
  }
  return (
    <Answer of={findings}>
      {({ data, pagination }) => (
        <>
          <Table
            label="Findings"
            columns={COLUMNS}
            rows={data}
            rowKey={(finding) =>
              `${finding.recordType} ${finding.sourceId} ${finding.code} ${finding.pointer}`
            }
          />
          <Pager
            page={page}
            size={SIZE}
            total={pagination.total}
            what="findings"
            onPage={(next) =>
              navigate({
                search: (old) => ({ ...old, findings: next > 1 ? next : undefined }),
                resetScroll: false,
              })
            }
          />
        </>
      )}
    </Answer>
  );
}
