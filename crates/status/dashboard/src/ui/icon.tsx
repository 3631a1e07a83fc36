import {
  Check,
  CircleSlash,
  Clock,
  Equal,
  FastForward,
  LoaderCircle,
  Pause,
  Pencil,
  Plus,
  RotateCw,
  Skull,
  Split,
  TriangleAlert,
  X,
} from "lucide-react";
import type { IconName } from "../format/states";
import styles from "./icon.module.css";

const ICONS = {
  clock: Clock,
  running: LoaderCircle,
  retry: RotateCw,
  check: Check,
  warning: TriangleAlert,
  cross: X,
  stop: CircleSlash,
  plus: Plus,
  pencil: Pencil,
  equal: Equal,
  split: Split,
  skip: FastForward,
  pause: Pause,
  skull: Skull,
} satisfies Record<IconName, unknown>;

/** An icon beside a word that says the same, hidden from screen readers. */
export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  const IconShape = ICONS[name];
  return (
    <IconShape
      size={size}
      strokeWidth={2.25}
      aria-hidden
      className={name === "running" ? styles.turning : undefined}
    />
  );
}
