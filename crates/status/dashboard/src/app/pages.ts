// The pages of the navigation, with their keyboard shortcuts.
import {
  CalendarClock,
  ChartColumn,
  ClipboardList,
  Gauge,
  GitCompareArrows,
  Inbox,
  Info,
  type LucideIcon,
  RefreshCcw,
  ScrollText,
  Settings2,
  Ship,
  Stethoscope,
  UsersRound,
  Webhook,
} from "lucide-react";
import { useFleetPart, useHasRole } from "../api/session";

export const PAGES = [
  { to: "/", name: "Overview", icon: Gauge, key: "o", isForPart: true },
  { to: "/syncs", name: "Syncs", icon: RefreshCcw, key: "s" },
  { to: "/records", name: "Records", icon: Ship, key: "r", isInMore: true, isForPart: true },
  { to: "/webhooks", name: "Webhooks", icon: Webhook, key: "w", isInMore: true },
  { to: "/data-quality", name: "Data quality", icon: ClipboardList, key: "q" },
  { to: "/conflicts", name: "Conflicts", icon: GitCompareArrows, key: "c" },
  { to: "/dead-letters", name: "Dead letters", icon: Inbox, key: "d" },
  { to: "/users", name: "Users", icon: UsersRound, key: "u", isInMore: true },
  { to: "/schedules", name: "Schedules", icon: CalendarClock, key: "t", isInMore: true },
  { to: "/analytics", name: "Analytics", icon: ChartColumn, key: "y", isInMore: true, isForPart: true },
  { to: "/doctor", name: "Doctor", icon: Stethoscope, key: "h", isInMore: true },
  { to: "/audit", name: "Audit log", icon: ScrollText, key: "a", isInMore: true, role: "admin" },
  { to: "/settings", name: "Settings", icon: Settings2, key: "e", isInMore: true },
  { to: "/about", name: "About", icon: Info, key: "b", isInMore: true, isForPart: true },
] as const satisfies {
  to: string;
  name: string;
  icon: LucideIcon;
  /** Opens the page after `g`. */
  key: string;
  /** On a phone, the page is in the menu "More". */
  isInMore?: boolean;
  role?: "admin";
  /** Open to a token for a part of the fleet. */
  isForPart?: boolean;
}[];

/** The pages that are open to the operator. */
export function usePages() {
  const isAdmin = useHasRole("admin");
  const isForWhole = useFleetPart() === null;
  return PAGES.filter((page) => (isAdmin || !("role" in page)) && (isForWhole || "isForPart" in page));
}

/** The name of the page at the path, if it is about the whole fleet and so closed to a token for a part of it. */
export function closedPage(path: string): string | undefined {
  const isAt = (to: string) => path === to || path.startsWith(`${to}/`);
  if (isAt("/search")) return "Search";
  // Of a sync of its own vessels.
  if (path.startsWith("/syncs/")) return undefined;
  return PAGES.find((page) => !("isForPart" in page) && isAt(page.to))?.name;
}
