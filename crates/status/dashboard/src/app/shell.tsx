import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import {
  ClipboardList,
  Gauge,
  Inbox,
  Keyboard,
  LogOut,
  Moon,
  RefreshCcw,
  Settings2,
  Sun,
} from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useLiveUpdates } from "../api/live";
import { getOverview, getValidationReport, STANDING } from "../api/queries";
import { endSession, type Session, useSession } from "../api/session";
import { rejectedNow } from "../format/fleet-status";
import { count } from "../format/numbers";
import { SignIn } from "../pages/sign-in/sign-in";
import { useZone } from "../ui/time";
import { ConnectionMark, StaleNote } from "./connection";
import { Shortcuts, usePageKeys } from "./shortcuts";

const PAGES = [
  { to: "/", name: "Overview", icon: Gauge },
  { to: "/syncs", name: "Syncs", icon: RefreshCcw },
  { to: "/records", name: "Records", icon: ClipboardList },
  { to: "/dead-letters", name: "Dead letters", icon: Inbox },
  { to: "/settings", name: "Settings", icon: Settings2 },
] as const;

export function Shell() {
  const session = useSession();
  return session ? <SignedIn session={session} /> : <SignIn />;
}

function SignedIn({ session }: { session: Session }) {
  useLiveUpdates(session.token);
  const main = useRef<HTMLElement>(null);
  const path = useLocation({ select: (location) => location.pathname });
  const [help, setHelp] = useState(false);
  usePageKeys(() => setHelp(true));
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page begins at its top, and the keyboard with it
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <aside className="side">
        <div>
          <Link to="/" className="brand">
            <img src="/icon.svg" alt="" width={26} height={26} />
            SMS Sync
          </Link>
          <Navigation />
        </div>
      </aside>
      <header className="top">
        <Link to="/" className="brand phone-only">
          <img src="/icon.svg" alt="" width={24} height={24} />
          <span className="sr-only">SMS Sync</span>
        </Link>
        <ConnectionMark />
        <span className="grow" />
        <ZoneSwitch />
        <ThemeSwitch />
        <ActionIcon
          variant="subtle"
          className="tool desk-only"
          aria-label="Keyboard shortcuts"
          onClick={() => setHelp(true)}
        >
          <Keyboard size={18} aria-hidden />
        </ActionIcon>
        <span className="who desk-only" title={`Role: ${session.who.role}`}>
          {session.who.subject}
          <span className="dim"> {session.who.role}</span>
        </span>
        <ActionIcon variant="subtle" className="tool" aria-label="Sign out" onClick={() => endSession()}>
          <LogOut size={18} aria-hidden />
        </ActionIcon>
      </header>
      <main id="content" ref={main} tabIndex={-1}>
        <StaleNote />
        <Outlet />
      </main>
      <Shortcuts opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function Navigation() {
  const letters = useQuery(getOverview()).data?.deadLetters ?? 0;
  const standing = useQuery(getValidationReport(STANDING, "error")).data;
  const waiting: Partial<Record<(typeof PAGES)[number]["to"], number>> = {
    "/records": standing ? rejectedNow(standing) : 0,
    "/dead-letters": letters,
  };
  return (
    <nav aria-label="Pages" className="nav">
      {PAGES.map(({ to, name, icon: Drawn }) => {
        const n = waiting[to] ?? 0;
        return (
          <Link key={to} to={to} activeOptions={{ exact: to === "/", includeSearch: false }}>
            <Drawn size={18} aria-hidden />
            <span>{name}</span>
            {n > 0 && (
              <span
                className="nav-count"
                data-tone={to === "/records" ? "warn" : "bad"}
                title={`${count(n)} ${n === 1 ? "waits" : "wait"} for a person`}
              >
                {count(n)}
              </span>
            )}
          </Link>
        );
      })}
    </nav>
  );
}

function ZoneSwitch() {
  const zone = useZone();
  const navigate = useNavigate();
  const other = zone === "utc" ? "local" : "utc";
  return (
    <button
      type="button"
      className="zone"
      title={zone === "utc" ? "Times are in UTC" : "Times are in this browser's zone"}
      aria-label={`Times in ${zone === "utc" ? "UTC" : "local time"}. Switch to ${other === "utc" ? "UTC" : "local time"}`}
      onClick={() =>
        navigate({
          to: ".",
          search: (old) => ({ ...old, zone: other === "local" ? "local" : undefined }),
          replace: true,
        })
      }
    >
      {zone === "utc" ? "UTC" : "Local"}
    </button>
  );
}

function ThemeSwitch() {
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const dark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon
      variant="subtle"
      className="tool"
      aria-label={dark ? "Light colours" : "Dark colours"}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
    >
      {dark ? <Sun size={18} aria-hidden /> : <Moon size={18} aria-hidden />}
    </ActionIcon>
  );
}
