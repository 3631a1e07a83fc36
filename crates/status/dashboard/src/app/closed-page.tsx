import { Link } from "@tanstack/react-router";
import { EmptyState } from "../ui/empty-state";
import { Page } from "../ui/page";

/** In place of a page that is about the whole fleet, for a token that is for a part of it. */
export function ClosedPage({ name }: { name: string }) {
  return (
    <Page title={name} hasViews={false}>
      <EmptyState framed title="This page is about the whole fleet">
        Your token is for a part of it: go to <Link to="/">your vessels</Link>.
      </EmptyState>
    </Page>
  );
}
