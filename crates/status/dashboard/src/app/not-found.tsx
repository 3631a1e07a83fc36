import { Link } from "@tanstack/react-router";
import { Empty, Page } from "../ui/page";

export function NotFound() {
  return (
    <Page title="No such page">
      <Empty title="There is nothing at this address">
        It may have been mistyped. <Link to="/">Go to the overview</Link>.
      </Empty>
    </Page>
  );
}
