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

export const PAGES = [
  { to: "/", name: "Overview", icon: Gauge, key: "o" },
  { to: "/syncs", name: "Syncs", icon: RefreshCcw, key: "s" },
  { to: "/records", name: "Records", icon: Ship, key: "r", isInMore: true },
  { to: "/webhooks", name: "Webhooks", icon: Webhook, key: "w", isInMore: true },
  { to: "/data-quality", name: "Data quality", icon: ClipboardList, key: "q" },
  { to: "/conflicts", name: "Conflicts", icon: GitCompareArrows, key: "c" },
  { to: "/dead-letters", name: "Dead letters", icon: Inbox, key: "d" },
  { to: "/users", name: "Users", icon: UsersRound, key: "u", isInMore: true },
  { to: "/schedules", name: "Schedules", icon: CalendarClock, key: "t", isInMore: true },
  { to: "/analytics", name: "Analytics", icon: ChartColumn, key: "y", isInMore: true },
  { to: "/doctor", name: "Doctor", icon: Stethoscope, key: "h", isInMore: true },
  { to: "/audit", name: "Audit log", icon: ScrollText, key: "a", isInMore: true, role: "admin" },
  { to: "/settings", name: "Settings", icon: Settings2, key: "e", isInMore: true },
  { to: "/about", name: "About", icon: Info, key: "b", isInMore: true },
] as const satisfies {
  to: string;
  name: string;
  icon: LucideIcon;
  /** Opens the page after `g`. */
  key: string;
  /** On a phone, the page is in the menu "More". */
  isInMore?: boolean;
  role?: "admin";
}[];
