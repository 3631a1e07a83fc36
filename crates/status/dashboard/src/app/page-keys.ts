// The keyboard shortcuts of the whole dashboard.
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { isDialogOpen } from "../ui/open-dialog";
import { PAGES } from "./pages";

/**
 * `g` and then a letter opens a page, `/` or Ctrl-K (Cmd-K) the search, `?` the help. Keys typed into dialogs are ignored, and so
 * are plain letters typed into fields.
 */
export function usePageKeys({ onHelp, onSearch }: { onHelp: () => void; onSearch: () => void }): void {
  const navigate = useNavigate();
  // Not in the effect: the shell may be drawn again between the two keys.
  const goPressedAt = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (isDialogOpen()) return;
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        onSearch();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select")) return;
      if (event.key === "/") {
        // The key must not be typed into the field that opens.
        event.preventDefault();
        onSearch();
      }
      if (event.key === "?") onHelp();
      const page = PAGES.find(({ key }) => key === event.key);
      if (page && Date.now() - goPressedAt.current < SEQUENCE_TIMEOUT) navigate({ to: page.to });
      goPressedAt.current = event.key === "g" ? Date.now() : 0;
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, onHelp, onSearch]);
}

/** Longest pause between `g` and the letter, in ms. */
const SEQUENCE_TIMEOUT = 1500;
