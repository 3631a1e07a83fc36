import {
  ActionIcon,
  Button,
  useComputedColorScheme,
  useMantineColorScheme,
  VisuallyHidden,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useIsFetching, useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useMatches, useNavigate } from "@tanstack/react-router";
import { Ellipsis, Keyboard, LogOut, Moon, Search, Sun } from "lucide-react";
import { Suspense, useEffect, useRef, useState } from "react";
import { useLiveUpdates } from "../api/live";
import { asProblem, type Problem } from "../api/problem";
import { FIRST_FINDINGS, getValidationReport } from "../api/queries/findings";
import { getOverview } from "../api/queries/overview";
import {
  onOtherTab,
  type Session,
  sessionEndReason,
  sessionKey,
  useFleetPart,
  useSession,
} from "../api/session";
import { restoreSession, signOut } from "../api/sign-in";
import { rejectedRecords } from "../format/fleet-status";
import { formatCount } from "../format/numbers";
import { formatDateTime } from "../format/times";
import { SignIn } from "../pages/sign-in/sign-in";
import { useNow } from "../ui/clock";
import { lazyComponent, preloadComponents, whenIdle } from "../ui/lazy-component";
import { Note } from "../ui/note";
import { ProblemNote } from "../ui/problem-note";
import text from "../ui/text.module.css";
import { useZone } from "../ui/zone";
import { ClosedPage } from "./closed-page";
import { ConnectionIndicator, ConnectionNote } from "./connection";
import { OutdatedNote } from "./outdated-note";
import { usePageKeys } from "./page-keys";
import { closedPage, type PAGES, usePages } from "./pages";
import styles from "./shell.module.css";

// What opens on a click or a key is not part of the first load.
const Palette = lazyComponent(() => import("./palette"), "Palette");
const Shortcuts = lazyComponent(() => import("./shortcuts"), "Shortcuts");
const Drawer = lazyComponent(() => import("../ui/drawer"), "Drawer");

export function Shell() {
  const session = useSession();
  const [isRenewing, setRenewing] = useState(false);
  const failure = useRestoredSession();
  // The page stays below the sign-in when its session ends by itself, so that no draft is lost.
  const [last, setLast] = useState<Session | null>(null);
  if (session && session !== last) setLast(session);
  if (session === undefined) return failure ? <NotReached problem={failure} /> : null;
  const hasEnded = session === null;
  if (!last || (hasEnded && sessionEndReason() === null)) return <SignIn />;
  const isCovered = hasEnded || isRenewing;
  return (
    <>
      <div inert={isCovered}>
        <SignedIn
          key={last.identity.subject}
          session={last}
          hasEnded={hasEnded}
          onRenew={() => setRenewing(true)}
        />
      </div>
      {isCovered && (
        <SignIn
          isOverlay
          onCancel={hasEnded ? undefined : () => setRenewing(false)}
          onDone={() => setRenewing(false)}
        />
      )}
    </>
  );
}

/** Asks who is signed in: at first, and when another tab signs in or out. Returns why that is not known. */
function useRestoredSession(): Problem | null {
  const [failure, setFailure] = useState<Problem | null>(null);
  useEffect(() => {
    const restore = () =>
      restoreSession().then(
        () => setFailure(null),
        (error) => setFailure(asProblem(error)),
      );
    restore();
    return onOtherTab(restore);
  }, []);
  return failure;
}

const showSignOutFailed = (error: unknown) =>
  notifications.show({ color: "red", title: "You are still signed in", message: asProblem(error).message });

function NotReached({ problem }: { problem: Problem }) {
  return (
    <main className={styles.notReached}>
      <ProblemNote problem={problem} onRetry={() => location.reload()} />
    </main>
  );
}

/** Loads all pages as soon as the first one has its data, which they would delay. */
function usePreloadedPages() {
  const isFetching = useIsFetching() > 0;
  useEffect(() => (isFetching ? undefined : whenIdle(preloadComponents)), [isFetching]);
}

interface SignedInProps {
  session: Session;
  hasEnded: boolean;
  onRenew: () => void;
}

function SignedIn({ session, hasEnded, onRenew }: SignedInProps) {
  const isForWhole = useFleetPart() === null;
  useLiveUpdates(hasEnded ? null : sessionKey(session), isForWhole);
  usePreloadedPages();
  const main = useRef<HTMLElement>(null);
  const path = useLocation({ select: (location) => location.pathname });
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  // The search is about the whole fleet.
  const openPalette = () => setPaletteOpen(isForWhole);
  usePageKeys({ onHelp: () => setHelpOpen(true), onSearch: openPalette });
  // Of the page that is shown: while another one is loaded, the path is that one's already.
  const shownPath = useMatches({ select: (matches) => matches.at(-1)?.pathname ?? path });
  const closed = isForWhole ? undefined : closedPage(shownPath);
  const isFirstPage = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new page starts at its top, for the keyboard too
  useEffect(() => {
    if (isFirstPage.current) {
      isFirstPage.current = false;
      return;
    }
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <div className={styles.shell}>
      <a className={styles.skipLink} href="#content">
        Skip to content
      </a>
      <aside className={styles.side}>
        <div className={styles.sticky}>
          <Link to="/" className={`${styles.brand} ${styles.sideBrand}`}>
            <img src="/icon.svg" alt="" width={26} height={26} />
            SMS Sync
          </Link>
          <Navigation />
        </div>
      </aside>
      <header className={styles.top}>
        <Link to="/" className={`${styles.brand} ${styles.topBrand}`}>
          <img src="/icon.svg" alt="" width={24} height={24} />
          <VisuallyHidden>SMS Sync</VisuallyHidden>
        </Link>
        <ConnectionIndicator />
        <span className={styles.spacer} />
        {isForWhole && (
          <button type="button" className={styles.search} aria-label="Search" onClick={openPalette}>
            <Search size={16} aria-hidden />
            <span className={styles.wideOnly}>Search</span>
            <kbd className={styles.wideOnly} aria-hidden>
              /
            </kbd>
          </button>
        )}
        <ZoneSwitch />
        <ThemeSwitch />
        <ActionIcon
          variant="subtle"
          className={`${styles.tool} ${styles.wideOnly}`}
          aria-label="Keyboard shortcuts"
          onClick={() => setHelpOpen(true)}
        >
          <Keyboard size={18} aria-hidden />
        </ActionIcon>
        <span className={`${styles.identity} ${styles.wideOnly}`} title={`Role: ${session.identity.role}`}>
          {session.identity.subject}
          <span className={text.dim}> {session.identity.role}</span>
        </span>
        <ActionIcon
          variant="subtle"
          className={styles.tool}
          aria-label="Sign out"
          onClick={() => signOut().catch(showSignOutFailed)}
        >
          <LogOut size={18} aria-hidden />
        </ActionIcon>
      </header>
      <main id="content" className={styles.main} ref={main} tabIndex={-1}>
        <ConnectionNote />
        <OutdatedNote />
        {!hasEnded && <ExpiryNote expiresAt={session.identity.expiresAt} onRenew={onRenew} />}
        {closed ? <ClosedPage name={closed} /> : <Outlet />}
      </main>
      {isHelpOpen && (
        <Suspense>
          <Shortcuts onClose={() => setHelpOpen(false)} />
        </Suspense>
      )}
      {isPaletteOpen && (
        <Suspense>
          <Palette onClose={() => setPaletteOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** How long before its end a session is said to end, in ms. */
const EXPIRY_NOTICE = 5 * 60_000;

function ExpiryNote({ expiresAt, onRenew }: { expiresAt: string; onRenew: () => void }) {
  const now = useNow();
  const zone = useZone();
  if (Date.parse(expiresAt) - now > EXPIRY_NOTICE) return null;
  return (
    <Note
      tone="warn"
      actions={
        <Button size="xs" variant="default" onClick={onRenew}>
          Sign in again
        </Button>
      }
    >
      Your token ends at {formatDateTime(expiresAt, zone, now)}.
    </Note>
  );
}

/** Pages for which the bar of a phone has room. Of more than these, the less used ones are in a menu. */
const BAR_PAGES = 6;

function Navigation() {
  const enabled = useFleetPart() === null;
  const overview = useQuery({ ...getOverview(), enabled }).data;
  const report = useQuery({ ...getValidationReport(FIRST_FINDINGS, "error"), enabled }).data;
  const pages = usePages();
  const hasMore = pages.length > BAR_PAGES;
  const [isMenuOpen, setMenuOpen] = useState(false);
  const counts: Partial<Record<(typeof PAGES)[number]["to"], number>> = {
    "/data-quality": report ? rejectedRecords(report) : 0,
    "/conflicts": overview?.openConflicts ?? 0,
    "/dead-letters": overview?.deadLetters ?? 0,
  };
  const link = (page: (typeof PAGES)[number], className: string | undefined) => {
    const count = counts[page.to] ?? 0;
    const { icon: PageIcon } = page;
    return (
      <Link
        key={page.to}
        to={page.to}
        className={className}
        activeOptions={{ exact: page.to === "/", includeSearch: false }}
        onClick={() => setMenuOpen(false)}
      >
        <PageIcon size={18} aria-hidden />
        <span>{page.name}</span>
        {count > 0 && (
          <span
            className={styles.navCount}
            data-tone={page.to === "/dead-letters" ? "bad" : "warn"}
            title={`${formatCount(count)} ${count === 1 ? "needs" : "need"} attention`}
          >
            {formatCount(count)}
          </span>
        )}
      </Link>
    );
  };
  return (
    <>
      <nav aria-label="Pages" className={styles.nav}>
        {pages.map((page) =>
          link(page, hasMore && "isInMore" in page ? `${styles.navLink} ${styles.inMore}` : styles.navLink),
        )}
        {hasMore && (
          <button
            type="button"
            className={`${styles.navLink} ${styles.more}`}
            aria-expanded={isMenuOpen}
            onClick={() => setMenuOpen(true)}
          >
            <Ellipsis size={18} aria-hidden />
            <span>More</span>
          </button>
        )}
      </nav>
      {isMenuOpen && (
        <Suspense>
          <Drawer opened title="More pages" isAtBottom onClose={() => setMenuOpen(false)}>
            <nav aria-label="More pages">
              {pages.filter((page) => "isInMore" in page).map((page) => link(page, styles.menuLink))}
            </nav>
          </Drawer>
        </Suspense>
      )}
    </>
  );
}

function ZoneSwitch() {
  const zone = useZone();
  const navigate = useNavigate();
  const other = zone === "utc" ? "local" : "utc";
  return (
    <button
      type="button"
      className={styles.zone}
      title={zone === "utc" ? "Times are shown in UTC" : "Times are shown in this browser's time zone"}
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
  const isDark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon
      variant="subtle"
      className={styles.tool}
      aria-label={isDark ? "Switch to light theme" : "Switch to dark theme"}
      onClick={() => setColorScheme(isDark ? "light" : "dark")}
    >
      {isDark ? <Sun size={18} aria-hidden /> : <Moon size={18} aria-hidden />}
    </ActionIcon>
  );
}
