// SPDX-License-Identifier: EUPL-1.2
//! Choosing a macro: what it says and what it does stand beside it before it is used.

import type { Language, Macro, Uuid } from "@belofte/api-client";
import { Button, Modal } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { NEW } from "../app/here";
import { arrive, callOff } from "../app/hold";
import { conversationQuery, macroQuery, macrosQuery, messagesQuery, queuesQuery, sendersQuery, tagsQuery, usersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { Failure, FailureLine, Skeleton } from "../app/states";
import { useActions } from "../conversations/actions";
import { readDraft } from "../conversations/draft";
import { accountOf } from "../conversations/outgoing";
import { useWords } from "../i18n";
import { BoltIcon, SearchIcon, UsersIcon, WarnIcon } from "../ui/icons";
import css from "./macro-dialog.module.css";
import { acts, apply, changeOf, inOrder, languageFor, pieceOf, placeOf, toldOf, valuesOf } from "./macros";
import { type Offered, offerMacros } from "./offer";
import { Open } from "./open";
import { unfilled, unfilledHtml } from "./placeholders";
import { WordsView } from "./words-view";

/** Every word of the question begins some word of the name. */
const fits = (name: string, q: string) => {
  const words = name.toLowerCase().split(/[\s·,:()/-]+/);
  return q
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((part) => words.some((word) => word.startsWith(part)));
};

export default function MacroDialog({ ids, chosen, bulk }: Offered) {
  const { t } = useWords();
  const [from] = useState(() => document.activeElement);
  const close = (written = false) => {
    offerMacros(null);
    const place = ids.length === 1 ? placeOf(ids[0]) : null;
    // The words are there: the next key goes on with them.
    if (written && place) requestAnimationFrame(() => place.focus());
    else if (from instanceof HTMLElement && from.isConnected) from.focus();
  };
  return (
    <Modal opened onClose={() => close()} title={t("macro.use")} size={820} closeButtonProps={{ "aria-label": t("action.close") }} returnFocus={false}>
      <Choose ids={ids} many={bulk ?? false} first={chosen} close={close} />
    </Modal>
  );
}

function Choose({ ids, many, first, close }: { ids: Uuid[]; many: boolean; first: Uuid | undefined; close: (written?: boolean) => void }) {
  const { t } = useWords();
  const list = useQuery(macrosQuery);
  const [text, setText] = useState("");
  const [at, setAt] = useState<number | null>(null);
  const items = useRef<HTMLDivElement>(null);
  const [pressed, setPressed] = useState(0);
  const all = inOrder(list.data?.items ?? []);
  const found = all.filter((one) => fits(one.name, text));
  const begun = at ?? Math.max(0, text ? 0 : found.findIndex((one) => one.id === first));
  const place = Math.min(begun, found.length - 1);
  const macro = found[place];
  useEffect(() => {
    items.current?.querySelector(`[data-at="${place}"]`)?.scrollIntoView({ block: "nearest" });
  }, [place]);
  useEffect(() => {
    // No field comes: the keys are the desk's again.
    if (list.isError) callOff("macro");
  }, [list.isError]);
  // At once, also when the macros come later than the dialogue: the next key is its first letter.
  const field = useCallback((element: HTMLInputElement | null) => {
    if (!element) return;
    element.focus();
    const typed = arrive("macro");
    if (typed) setText(typed.replace(/\n/g, ""));
    if (typed?.includes("\n")) setPressed(1);
  }, []);
  if (list.isPending) return <Skeleton rows={4} />;
  if (list.isError && !list.data) return <Failure error={list.error} retry={() => void list.refetch()} />;
  return (
    <div className={css.choose}>
      <div className={css.left}>
        <div className={css.field}>
          <SearchIcon size={16} />
          <input
            ref={field}
            data-autofocus
            role="combobox"
            aria-expanded={found.length > 0}
            {...(found.length > 0 ? { "aria-controls": "macro-items" } : {})}
            aria-activedescendant={macro ? `macro-${place}` : undefined}
            aria-label={t("macro.find")}
            placeholder={t("macro.find")}
            value={text}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => {
              setText(event.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={(event) => {
              if (event.key === "ArrowDown") setAt((place + 1) % Math.max(1, found.length));
              else if (event.key === "ArrowUp") setAt((place - 1 + found.length) % Math.max(1, found.length));
              else if (event.key === "Enter") setPressed((count) => count + 1);
              else return;
              event.preventDefault();
            }}
          />
        </div>
        {found.length > 0 ? (
          <div ref={items} id="macro-items" role="listbox" aria-label={t("macro.all")} className={css.items}>
            {found.map((one, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the field above holds the focus and the keys
              <div
                key={one.id}
                id={`macro-${index}`}
                data-at={index}
                role="option"
                tabIndex={-1}
                aria-selected={index === place}
                className={css.item}
                onClick={() => setAt(index)}
              >
                <span className={css.name}>{one.name}</span>
                {acts(one.actions) && (
                  <span className={css.sign} title={t("macro.acts")}>
                    <BoltIcon size={13} />
                    <span className="sr-only">{t("macro.acts")}</span>
                  </span>
                )}
                {one.shared && (
                  <span className={css.sign} title={t("macro.shared")}>
                    <UsersIcon size={13} />
                    <span className="sr-only">{t("macro.shared")}</span>
                  </span>
                )}
              </div>
            ))}
          </div>
        ) : (
          <p className={css.none}>{all.length > 0 ? t("macro.none_found") : t("macro.none")}</p>
        )}
        <p className={css.manage}>
          <Link to="/settings/macros" onClick={() => close()}>
            {t("macro.manage")}
          </Link>
        </p>
      </div>
      {macro && (many ? <ForMany key={macro.id} macro={macro} ids={ids} pressed={pressed} close={close} /> : <ForOne key={macro.id} macro={macro} id={ids[0] ?? NEW} pressed={pressed} close={close} />)}
    </div>
  );
}

interface UseProps {
  macro: Macro;
  /** How often Enter was pressed in the field. */
  pressed: number;
  close: (written?: boolean) => void;
}

function useKnown() {
  const session = useSession();
  const users = useQuery(usersQuery).data?.items;
  const tags = useQuery(tagsQuery).data?.items;
  const queues = useQuery(queuesQuery).data?.items;
  return { ready: users !== undefined && tags !== undefined && queues !== undefined, users, tags, queues, me: session.user };
}

function ForOne({ macro, id, pressed, close }: UseProps & { id: string }) {
  const words = useWords();
  const { t } = words;
  const known = useKnown();
  const whole = useQuery(macroQuery(macro.id, macro.version));
  const conversation = useQuery({ ...conversationQuery(id), enabled: id !== NEW });
  const pages = useInfiniteQuery({ ...messagesQuery(id), enabled: id !== NEW });
  const senders = useQuery(sendersQuery).data?.items;
  const [now] = useState(() => new Date());
  const [picked, setPicked] = useState<Language | null>(null);
  const messages = [...(pages.data?.pages ?? [])].reverse().flatMap((page) => page.items);
  const begin = languageFor(macro, messages, words.language);
  const language = picked ?? begin.language;
  const says = macro.languages.length > 0;
  const text = whole.data?.texts?.[language];
  const draft = readDraft(id);
  const whom = conversation.data ? { name: conversation.data.contact.name, address: conversation.data.contact.identities[0]?.value ?? "" } : draft.to?.[0];
  const account = draft.account ?? accountOf(messages.at(-1), conversation.data ?? null);
  const values = valuesOf(
    {
      contact: whom,
      subject: conversation.data?.subject ?? draft.subject,
      no: conversation.data?.no,
      agent: known.me,
      sender: senders?.find((one) => one.id === account) ?? (id === NEW ? senders?.find((one) => one.can_send) : undefined),
    },
    language,
    now,
  );
  const piece = text ? pieceOf(text, values) : null;
  const place = placeOf(id);
  const taken = says && place?.taken ? place.taken : null;
  const coming = !known.ready || (says && !whole.data) || (id !== NEW && !conversation.data) || (id !== NEW && pages.isPending);
  return (
    <Using
      macro={macro}
      pressed={pressed}
      told={toldOf(macro.actions, known, words, now)}
      nothing={id === NEW && !says ? t("macro.only_acts") : taken ? t("macro.taken", { name: taken }) : null}
      hint={id === NEW && acts(macro.actions) && says ? t("macro.not_yet") : null}
      coming={coming}
      label={says ? t("macro.insert") : t("macro.do")}
      run={async (rest) => {
        await apply({ macro, id, piece, rest, me: known.me, words });
        close(says);
      }}
    >
      {says && (
        <section className={css.says}>
          {macro.languages.length > 1 && (
            <div className={css.languages} role="group" aria-label={t("macro.language")}>
              {(["nl", "en"] as const).map((one) => (
                <button key={one} type="button" lang={one} aria-pressed={one === language} onClick={() => setPicked(one)}>
                  {t(one === "nl" ? "macro.dutch" : "macro.english")}
                </button>
              ))}
            </div>
          )}
          {begin.instead && <p className={css.hint}>{t(language === "nl" ? "macro.only_dutch" : "macro.only_english")}</p>}
          {whole.isError && <FailureLine error={whole.error} retry={() => void whole.refetch()} />}
          {piece && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
            <div className={css.words} lang={language} tabIndex={0} role="group" aria-label={t("macro.says")}>
              <WordsView piece={piece} />
            </div>
          )}
          {piece && <Open open={piece.html === null ? unfilled(piece.text) : unfilledHtml(piece.html)} />}
        </section>
      )}
    </Using>
  );
}

function ForMany({ macro, ids, pressed, close }: UseProps & { ids: Uuid[] }) {
  const words = useWords();
  const { t } = words;
  const known = useKnown();
  const actions = useActions();
  const [now] = useState(() => new Date());
  return (
    <Using
      macro={macro}
      pressed={pressed}
      told={toldOf(macro.actions, known, words, now)}
      nothing={acts(macro.actions) ? null : t("macro.only_says")}
      hint={macro.languages.length > 0 ? t("macro.without_words") : null}
      coming={!known.ready}
      label={t("macro.do_many", { count: ids.length })}
      run={async () => {
        close();
        await actions.use(ids, changeOf(macro.actions, known, new Date()), macro.name);
      }}
    />
  );
}

interface UsingProps {
  macro: Macro;
  pressed: number;
  told: ReturnType<typeof toldOf>;
  /** Why it cannot be used here. */
  nothing: string | null;
  hint: string | null;
  coming: boolean;
  label: string;
  run: (rest: boolean) => Promise<void>;
  children?: ReactNode;
}

/** What it does, and the button; what is gone is said before anything is done. */
function Using({ macro, pressed, told, nothing, hint, coming, label, run, children }: UsingProps) {
  const { t } = useWords();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const gone = told.some((one) => one.gone);
  const use = () => {
    if (nothing || coming || busy) return;
    setBusy(true);
    setError(null);
    run(gone).catch((refused: unknown) => {
      setError(refused);
      setBusy(false);
    });
  };
  // Enter that came before everything was there is meant for it; it never agrees to what nobody has read.
  const [begun] = useState(pressed);
  const wanted = pressed > begun;
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when Enter is pressed, and when what it waits for has come
  useEffect(() => {
    if (wanted && !coming && !gone) use();
  }, [pressed, wanted, coming, gone]);
  return (
    <div className={css.right}>
      <h3>{macro.name}</h3>
      {children}
      {told.length > 0 && (
        <section className={css.does}>
          <h4>{t("macro.does")}</h4>
          <ul>
            {told.map((one) => (
              <li key={one.key} data-gone={one.gone || undefined}>
                {one.gone && <WarnIcon size={14} />}
                {one.text}
              </li>
            ))}
          </ul>
        </section>
      )}
      {hint && <p className={css.hint}>{hint}</p>}
      {gone && !nothing && (
        <p className={css.warning} role="alert">
          <WarnIcon size={15} />
          <span>{t("macro.gone")}</span>
        </p>
      )}
      {nothing && <p className={css.hint}>{nothing}</p>}
      {error !== null && <FailureLine error={error} />}
      <div className={css.row}>
        <Button onClick={use} loading={busy} disabled={nothing !== null || coming}>
          {gone ? t("macro.rest") : label}
        </Button>
      </div>
    </div>
  );
}
