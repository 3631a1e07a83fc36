import { fromInputTime, toInputTime } from "../format/times";
import styles from "./filter-bar.module.css";
import { useZone } from "./zone";

/** Narrows a list to a range of time, in the zone in which times are shown. `from` and `to` are in RFC 3339. */
export function TimeRangeFilter(props: {
  from: string | undefined;
  to: string | undefined;
  onChange: (range: { from: string | undefined; to: string | undefined }) => void;
}) {
  const zone = useZone();
  const { from, to, onChange } = props;
  const zoneName = zone === "utc" ? "UTC" : "local time";
  const field = (name: "from" | "to", label: string, value: string | undefined) => (
    <label className={styles.time}>
      {label}
      <input
        type="datetime-local"
        aria-label={`${label}, ${zoneName}`}
        className={styles.input}
        value={value ? toInputTime(value, zone) : ""}
        onChange={(event) => onChange({ from, to, [name]: fromInputTime(event.currentTarget.value, zone) })}
      />
    </label>
  );
  return (
    <span className={styles.range}>
      {field("from", "From", from)}
      {field("to", "To", to)}
    </span>
  );
}
