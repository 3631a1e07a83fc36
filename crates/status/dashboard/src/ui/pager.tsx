import { Button } from "@mantine/core";
import { count } from "../format/numbers";

/** Where a page of a list stands, and the ways on and back. Pages count from 1, as in the URL. */
export function Pager(props: {
  page: number;
  size: number;
  total: number;
  what: string;
  onPage: (page: number) => void;
}) {
  const { page, size, total, what, onPage } = props;
  const last = Math.max(1, Math.ceil(total / size));
  return (
    <nav className="pager" aria-label={`Pages of ${what}`}>
      <span className="dim">
        {page > last
          ? `The list ends before this page: ${count(total)} in all`
          : `${count((page - 1) * size + 1)}–${count(Math.min(total, page * size))} of ${count(total)}`}
      </span>
      {(last > 1 || page > 1) && (
        <span className="actions">
          <Button
            size="xs"
            variant="default"
            disabled={page <= 1}
            onClick={() => onPage(Math.min(page - 1, last))}
          >
            Newer
          </Button>
          <Button size="xs" variant="default" disabled={page >= last} onClick={() => onPage(page + 1)}>
            Older
          </Button>
        </span>
      )}
    </nav>
  );
}
