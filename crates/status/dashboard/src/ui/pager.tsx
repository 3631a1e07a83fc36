import { Button } from "@mantine/core";
import type { ListTotal } from "../api/types";
import { formatCount } from "../format/numbers";
import layout from "./layout.module.css";
import styles from "./pager.module.css";
import text from "./text.module.css";

/** Which rows of a list are shown, with buttons to the next and previous page. Pages count from 1, as in the URL. */
export function Pager(props: {
  page: number;
  pageSize: number;
  total: ListTotal;
  /** The items in the plural: `syncs`. */
  itemNoun: string;
  onPage: (page: number) => void;
}) {
  const { page, pageSize, itemNoun, onPage } = props;
  const { total, totalIsExact = true } = props.total;
  // Of what is counted. A list that was not counted to its end goes on.
  const lastPage = Math.max(1, Math.ceil(total / pageSize));
  const hasOlder = page < lastPage || (!totalIsExact && page === lastPage);
  const ofTotal = `${totalIsExact ? "" : "more than "}${formatCount(total)}`;
  const firstRow = (page - 1) * pageSize + 1;
  const lastRow = Math.min(total, page * pageSize);
  return (
    <nav className={styles.pager} aria-label={`Pages of ${itemNoun}`}>
      <span className={text.dim}>
        {page > lastPage
          ? `No such page: the list has ${ofTotal} in total`
          : `${formatCount(firstRow)}–${formatCount(lastRow)} of ${ofTotal}`}
      </span>
      {(lastPage > 1 || page > 1) && (
        <span className={layout.actions}>
          <Button
            size="xs"
            variant="default"
            disabled={page <= 1}
            onClick={() => onPage(Math.min(page - 1, lastPage))}
          >
            Newer
          </Button>
          <Button size="xs" variant="default" disabled={!hasOlder} onClick={() => onPage(page + 1)}>
            Older
          </Button>
        </span>
      )}
    </nav>
  );
}
