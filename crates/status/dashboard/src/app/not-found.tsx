import { Link } from "@tanstack/react-router";
import { EmptyState } from "../ui/empty-state";
import { Page } from "../ui/page";

export function NotFound() {
  return (
    <Page title="Page not found">
      <EmptyState framed title="No page at this address">
        Check the address, or <Link to="/">go to the overview</Link>.
      </EmptyState>
    </Page>
  );
}
