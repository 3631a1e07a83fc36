import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { listUsers } from "../../api/queries/users";
import type { User } from "../../api/types";
import { plural } from "../../format/numbers";
import { accessLabel, labelOf, PASSWORD_STATES, roleWord } from "../../format/states";
import type { Status } from "../../format/status";
import { Drawer } from "../../ui/drawer";
import { EmptyState } from "../../ui/empty-state";
import { FilterBar } from "../../ui/filter-bar";
import { LiveList } from "../../ui/live-list";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { StateBadge } from "../../ui/state-badge";
import { StatusBanner } from "../../ui/status-banner";
import { columnsOf, rowLink } from "../../ui/table";
import { TextFilter } from "../../ui/text-filter";
import { TwoLines } from "../../ui/two-lines";
import { UserDetails } from "./details";

const PAGE_SIZE = 20;
const route = getRouteApi("/users");

const column = columnsOf<User>();
const columns = [
  column.display({
    id: "user",
    header: "User",
    cell: ({ row: { original: user } }) => (
      <TwoLines second={roleWord(user.rank)}>
        <Link from="/users" to="/users" search={(old) => ({ ...old, open: user.id })} {...rowLink}>
          <bdi>{user.email}</bdi>
        </Link>
      </TwoLines>
    ),
  }),
  column.display({
    id: "access",
    header: "Access",
    meta: { narrow: "beside" },
    cell: ({ row }) => <StateBadge label={accessLabel(row.original)} />,
  }),
  column.display({
    id: "role",
    header: "Role",
    cell: ({ row }) => roleWord(row.original.role),
  }),
  column.display({
    id: "workplace",
    header: "Workplace",
    cell: ({ row: { original: user } }) =>
      user.workplace === "ship"
        ? `Ship, ${plural(user.vesselIds.length, "vessel")}`
        : roleWord(user.workplace),
  }),
  column.display({
    id: "password",
    header: "Temporary password",
    cell: ({ row }) => <StateBadge label={labelOf(PASSWORD_STATES, row.original.password)} />,
  }),
];

/** Users of the maintenance portal: role, access and temporary password. */
export function UsersPage() {
  const { page = 1, search, open } = route.useSearch();
  const navigate = route.useNavigate();
  const list = { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE };
  const users = useQuery(listUsers(list, search));
  const total = useQuery(listUsers({ limit: 1, offset: 0 }, undefined)).data?.pagination.total;
  const close = () => navigate({ search: (old) => ({ ...old, open: undefined }), resetScroll: false });
  return (
    <Page
      title="Users"
      actions={
        <Button variant="default" renderRoot={(props) => <Link to="/users/role-mapping" {...props} />}>
          Role mapping
        </Button>
      }
    >
      <StatusBanner status={total === undefined ? undefined : usersStatus(total)} />
      <FilterBar
        isFiltered={search !== undefined}
        onClear={() => navigate({ search: (old) => ({ ...old, search: undefined, page: undefined }) })}
      >
        <TextFilter
          label="Search by email or ID"
          value={search}
          onChange={(next) => navigate({ search: (old) => ({ ...old, search: next, page: undefined }) })}
        />
      </FilterBar>
      <LiveList
        query={users}
        itemNoun="users"
        label="Users"
        columns={columns}
        rowKey={(user) => user.id}
        page={page}
        pageSize={PAGE_SIZE}
        filter={search}
        empty={
          <EmptyState framed title={search ? "No user matches the search" : "No users yet"}>
            {search
              ? "Change or clear the search above."
              : "Users come with a full sync, or when the onboarding portal approves one."}
          </EmptyState>
        }
        onPage={(next) => navigate({ search: (old) => ({ ...old, page: next > 1 ? next : undefined }) })}
      />
      <Drawer opened={open !== undefined} title="User" onClose={close}>
        {open && (
          <QueryResult query={users} lines={8}>
            {({ data }) => <UserDetails key={open} user={data.find(({ id }) => id === open)} />}
          </QueryResult>
        )}
      </Drawer>
    </Page>
  );
}

const usersStatus = (total: number): Status => ({
  tone: "neutral",
  headline: total === 0 ? "No users yet" : plural(total, "user"),
  detail: "Roles follow from rank, department and workplace by the role mapping.",
});
