import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { listVessels } from "../../api/queries/vessels";
import { useFleetPart } from "../../api/session";
import type { List, VesselState } from "../../api/types";
import { fleetPartStatus, fleetPartText } from "../../format/fleet-part";
import { plural } from "../../format/numbers";
import { Announcement } from "../../ui/announcement";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/empty-state";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { StatusBanner } from "../../ui/status-banner";
import { Table } from "../../ui/table";
import text from "../../ui/text.module.css";
import { vesselColumns } from "../../ui/vessel-columns";

/** The first page of an operator whose token is for a part of the fleet: the overview is about the whole. */
export function FleetPartPage() {
  // No update comes with such a token.
  const vessels = useQuery({ ...listVessels(), refetchInterval: 30_000 });
  return (
    <Page title="Overview">
      <QueryResult query={vessels} lines={8}>
        {(list) => <Vessels list={list} />}
      </QueryResult>
    </Page>
  );
}

function Vessels({ list }: { list: List<VesselState> }) {
  const part = useFleetPart();
  const status = fleetPartStatus(list);
  const others = list.pagination.total - list.data.length;
  return (
    <>
      <Announcement text={status.headline} />
      <StatusBanner status={status} />
      <Card title="Your vessels" aside={<Link to="/records">All records</Link>}>
        {list.data.length === 0 ? (
          <EmptyState title="No vessels">
            They come when the onboarding portal approves them, or with a full sync.
          </EmptyState>
        ) : (
          <Table
            label="Your vessels"
            columns={vesselColumns}
            data={list.data}
            rowKey={({ sourceId }) => sourceId}
            linked
          />
        )}
        <p className={text.dim}>
          {part && `Your token is for ${fleetPartText(part)}, with all that belongs there. `}
          Worst first. Counts are of the vessel, its equipment and its users.
          {others > 0 &&
            ` ${plural(others, "vessel")} of which less is wrong ${others === 1 ? "is" : "are"} not listed here.`}
        </p>
      </Card>
    </>
  );
}
