import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { SEARCH_MIN_LENGTH, searchAll } from "../../api/queries/search";
import { useHasRole } from "../../api/session";
import type { SearchGroup, SearchResult } from "../../api/types";
import { hitKindWord, isRecordType, labelOf, RECORD_STANDINGS } from "../../format/states";
import { Card } from "../../ui/card";
import { EmptyState } from "../../ui/empty-state";
import { Note } from "../../ui/note";
import { Page } from "../../ui/page";
import { QueryResult } from "../../ui/query-result";
import { hitPage, matchedText } from "../../ui/search-hits";
import { StateBadge } from "../../ui/state-badge";
import text from "../../ui/text.module.css";
import { TextFilter } from "../../ui/text-filter";
import { TwoLines } from "../../ui/two-lines";
import styles from "./search.module.css";

const route = getRouteApi("/search");

/** Records, syncs and messages that hold a text. */
export function SearchPage() {
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const isAdmin = useHasRole("admin");
  const result = useQuery(searchAll(q ?? ""));
  return (
    <Page title="Search">
      <search aria-label="Search" className={styles.form}>
        <TextFilter
          label="Name, number or ID"
          value={q}
          onChange={(next) => navigate({ search: (old) => ({ ...old, q: next }), replace: true })}
        />
      </search>
      {q === undefined || q.length < SEARCH_MIN_LENGTH ? (
        <EmptyState framed title="Search for anything">
          Two characters or more of a vessel's name or IMO number, a tag or SFI code of equipment, a QR code,
          a company, or an ID of a record, sync, webhook, dead letter or trace.
          {!isAdmin && " Users are found by ID; only admins find them by name."}
        </EmptyState>
      ) : (
        <QueryResult query={result} lines={8}>
          {(result) => <Result result={result} />}
        </QueryResult>
      )}
    </Page>
  );
}

function Result({ result: { groups, cutShort, query } }: { result: SearchResult }) {
  const found = groups.filter(({ hits }) => hits.length > 0);
  return (
    <>
      {cutShort && (
        <Note tone="warn" role="status">
          The search took too long and was cut short: what is not listed may exist. Search for more
          characters.
        </Note>
      )}
      {found.length === 0 ? (
        <EmptyState framed title={`Nothing found for “${query}”`}>
          Names are found by three letters or more side by side, numbers and IDs by their beginning.
        </EmptyState>
      ) : (
        found.map((group) => <Group key={group.kind} group={group} query={query} />)
      )}
    </>
  );
}

function Group({ group: { kind, hits, more }, query }: { group: SearchGroup; query: string }) {
  const isAdmin = useHasRole("admin");
  return (
    <Card
      title={hitKindWord(kind)}
      aside={
        more &&
        (isRecordType(kind) ? (
          <Link to="/records" search={{ type: kind, q: query }}>
            All matches
          </Link>
        ) : (
          <span className={text.dim}>more than these</span>
        ))
      }
    >
      <ul>
        {hits.map((hit) => (
          <li key={hit.id} className={styles.hit}>
            <TwoLines second={hit.subtitle?.replaceAll("_", " ")}>
              <Link {...hitPage(kind, hit, isAdmin)} className={styles.link}>
                {hit.title}
              </Link>
            </TwoLines>
            <span className={styles.aside}>
              <span className={text.dim}>{matchedText(hit)}</span>
              {hit.standing && <StateBadge label={labelOf(RECORD_STANDINGS, hit.standing)} />}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
