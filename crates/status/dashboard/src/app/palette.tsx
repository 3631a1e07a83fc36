import { Combobox, Modal, TextInput, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { SEARCH_MIN_LENGTH, searchAll } from "../api/queries/search";
import { useHasRole } from "../api/session";
import { LIST_PAGES } from "../format/saved-views";
import { hitKindWord, labelOf, RECORD_STANDINGS } from "../format/states";
import { useSavedViews } from "../ui/saved-views";
import { hitPage } from "../ui/search-hits";
import { usePages } from "./pages";
import styles from "./palette.module.css";

/** A pause in typing after which the service is asked, in ms. */
const TYPING_DELAY = 150;

interface Choice {
  id: string;
  group: string;
  label: string;
  detail?: string | undefined;
  open: () => void;
}

/** Opens pages by their name, and whatever a search finds, by keyboard. */
export function Palette({ onClose }: { onClose: () => void }) {
  return (
    <Modal.Root opened onClose={onClose} size="lg" yOffset={64}>
      <Modal.Overlay />
      <Modal.Content aria-label="Search" className={styles.content}>
        <Modal.Body className={styles.body}>
          <Choices onClose={onClose} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Choices({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [text] = useDebouncedValue(typed.trim(), TYPING_DELAY);
  const found = useQuery(searchAll(text));
  const choices = useChoices(typed.trim(), text);
  const combobox = useCombobox({
    opened: true,
    // Esc.
    onOpenedChange: (isOpen) => {
      if (!isOpen) onClose();
    },
  });
  const { selectFirstOption, resetSelectedOption } = combobox;
  const ids = choices.map(({ id }) => id).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: Enter opens the best of the choices that are shown
  useEffect(() => {
    resetSelectedOption();
    selectFirstOption();
  }, [ids]);
  const groups = [...new Set(choices.map(({ group }) => group))];
  const isCutShort = found.data?.cutShort && text.length >= SEARCH_MIN_LENGTH;
  return (
    <Combobox
      store={combobox}
      onOptionSubmit={(id) => {
        onClose();
        choices.find((choice) => choice.id === id)?.open();
      }}
    >
      <Combobox.EventsTarget withExpandedAttribute>
        <TextInput
          data-autofocus
          aria-label="Search for pages, records, syncs and messages"
          placeholder="Vessel, IMO number, tag, ID or page"
          size="md"
          variant="unstyled"
          leftSection={<Search size={18} aria-hidden />}
          classNames={{ wrapper: styles.search ?? "" }}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          maxLength={200}
        />
      </Combobox.EventsTarget>
      <Combobox.Options className={styles.options} aria-label="Results">
        {groups.map((group) => (
          <Combobox.Group key={group} label={group}>
            {choices
              .filter((choice) => choice.group === group)
              .map((choice) => (
                <Combobox.Option key={choice.id} value={choice.id} className={styles.option}>
                  <bdi className={styles.label}>{choice.label}</bdi>
                  {choice.detail && <bdi className={styles.detail}>{choice.detail}</bdi>}
                </Combobox.Option>
              ))}
          </Combobox.Group>
        ))}
      </Combobox.Options>
      <p className={styles.note} role="status">
        {noteOf({
          text,
          isFetching: found.isFetching,
          isError: found.isError,
          isCutShort,
          count: choices.length,
        })}
      </p>
    </Combobox>
  );
}

function noteOf(state: {
  text: string;
  isFetching: boolean;
  isError: boolean;
  isCutShort: boolean | undefined;
  count: number;
}): string {
  if (state.text.length < SEARCH_MIN_LENGTH) return "Type two characters or more to search for records.";
  if (state.isError) return "The search failed. Type again to retry.";
  if (state.isFetching) return "Searching";
  if (state.isCutShort) return "The search was cut short: what is not listed may exist.";
  return state.count <= 1 ? "Nothing found." : "↑ ↓ to choose, Enter to open, Esc to close";
}

/** Pages and saved views whose names fit, then what the search has found. */
function useChoices(typed: string, searched: string): Choice[] {
  const navigate = useNavigate();
  const isAdmin = useHasRole("admin");
  const views = useSavedViews();
  const found = useQuery(searchAll(searched)).data;
  const words = typed.toLowerCase();
  const pages = usePages()
    .filter((page) => page.name.toLowerCase().includes(words))
    .map(
      ({ to, name, key }): Choice => ({
        id: to,
        group: "Pages",
        label: name,
        detail: `g ${key}`,
        open: () => navigate({ to }),
      }),
    );
  const saved = views
    .filter((view) => view.name.toLowerCase().includes(words) && (view.page !== "/audit" || isAdmin))
    .map(
      ({ name, page, filter }): Choice => ({
        id: `view ${page} ${name}`,
        group: "Saved views",
        label: name,
        detail: LIST_PAGES[page],
        // The page checks the parameters, as those of any URL.
        open: () => navigate({ to: page, search: filter as never }),
      }),
    );
  const local = [...saved, ...pages];
  if (searched.length < SEARCH_MIN_LENGTH || typed.length < SEARCH_MIN_LENGTH) return local;
  const hits = (found?.groups ?? []).flatMap(({ kind, hits }) =>
    hits.map(
      (hit): Choice => ({
        id: `${kind} ${hit.id}`,
        group: hitKindWord(kind),
        label: hit.title,
        detail: [
          hit.subtitle?.replaceAll("_", " "),
          hit.standing && hit.standing !== "active" && labelOf(RECORD_STANDINGS, hit.standing).word,
        ]
          .filter(Boolean)
          .join(" · "),
        open: () => navigate(hitPage(kind, hit, isAdmin)),
      }),
    ),
  );
  const all: Choice = {
    id: "all results",
    group: "Search",
    label: `All results for “${searched}”`,
    open: () => navigate({ to: "/search", search: { q: searched } }),
  };
  return [...local, ...hits, all];
}
