// SPDX-License-Identifier: EUPL-1.2
//! Ctrl/⌘-K: conversations, views, settings and what can be done now.

import { Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { findRow, useActions } from "../conversations/actions";
import { type Arrangement, arrange } from "../conversations/arrange";
import { openPrint } from "../conversations/print-window";
import { openTool, type Tool } from "../conversations/tool";
import { queueView, tagView, VIEW_NAMES, VIEWS } from "../conversations/views";
import { useWords } from "../i18n";
import { inOrder } from "../macros/macros";
import { askForMacros, offerMacros } from "../macros/offer";
import { searchFor } from "../search/words";
import { SECTIONS } from "../settings/sections";
import { BellIcon, BoltIcon, CheckIcon, ContactsIcon, type Icon, InboxIcon, InfoIcon, LinkIcon, LockIcon, MailIcon, MergeIcon, MoveIcon, OutIcon, PassOnIcon, PencilIcon, PrintIcon, ReplyIcon, SearchIcon, ShieldIcon, SnoozeIcon, SplitIcon, QueueIcon, TagIcon, UserIcon, ViewsIcon } from "../ui/icons";
import { addContact } from "../contacts/adding";
import { compose } from "../conversations/compose";
import { api } from "./api";
import { casesOf, type Person } from "./cases";
import { NEW } from "./here";
import { arrive } from "./hold";
import { macrosQuery, queuesQuery, savedViewsQuery, sendersQuery, tagsQuery } from "./queries";
import { recentConversations } from "./recent";
import css from "./palette.module.css";
import { useSession } from "./session";

interface Item {
  id: string;
  group: string;
  text: string;
  more?: ReactNode;
  icon: Icon;
  run: () => void;
  /** The palette stays open, with what this brings. */
  stays?: true;
}

/** What stands in the field while the conversations of somebody do in the list. */
const wordsFor = (person: Person) => person.address || person.name;

/** Every word of the question begins some word of the text. */
export function fits(text: string, q: string): boolean {
  const words = text.toLowerCase().split(/[\s·,:()-]+/);
  return q
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((part) => words.some((word) => word.startsWith(part)));
}

interface Props {
  close: () => void;
  help: () => void;
  notifications: () => void;
  signOut: () => void;
}

export default function Palette({ close, help, notifications, signOut }: Props) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const navigate = useNavigate();
  const actions = useActions();
  const { conversation } = useParams({ strict: false });
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [q] = useDebouncedValue(text.trim(), 100);
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  // Whose conversations are shown, until something else is typed.
  const [person, setPerson] = useState<Person | null>(null);
  const whose = person && text === wordsFor(person) ? person : null;
  const field = useCallback((element: HTMLInputElement | null) => {
    input.current = element;
    if (!element) return;
    element.focus();
    const typed = arrive("palette");
    if (typed) setText(typed.replace(/\n/g, ""));
  }, []);
  const found = useQuery({
    queryKey: ["palette", q],
    queryFn: ({ signal }) => api.search.find(q, undefined, signal, 6),
    enabled: q.length >= 2 && !whose,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
  const people = useQuery({
    queryKey: ["palette-people", q],
    queryFn: ({ signal }) => api.search.suggest(q, signal),
    enabled: q.length >= 3 && !whose,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
  const cases = useQuery({
    queryKey: ["palette-cases", whose],
    queryFn: ({ signal }) => (whose ? casesOf(whose, (words, cursor, limit) => api.search.find(words, cursor, signal, limit)) : []),
    enabled: whose !== null,
    gcTime: 30_000,
  });
  const coming = whose !== null && cases.isPending;

  const saved = useQuery(savedViewsQuery).data?.items;
  const tags = useQuery(tagsQuery).data?.items;
  const macros = useQuery(macrosQuery).data?.items;
  const queues = useQuery(queuesQuery).data?.items;
  const senders = useQuery(sendersQuery).data?.items.length ?? 0;

  const items = useMemo(() => {
    const all: Item[] = [];
    const toConversation = (id: string, who: string, subject: string, group: string) =>
      all.push({
        id: `${group}-${id}`,
        group,
        text: who,
        more: subject,
        icon: MailIcon,
        run: () => void navigate({ to: "/inbox/$view/$conversation", params: { view: "open", conversation: id } }),
      });
    const open = conversation ? findRow(conversation) : null;
    if (!text.trim()) {
      for (const row of recentConversations(conversation)) {
        toConversation(row.id, row.contact.name || row.contact.address, row.subject, t("palette.recent"));
      }
    }
    const search = () =>
      all.push({
        id: "search",
        group: t("rail.search"),
        text: t("palette.search_for", { q: text.trim() }),
        icon: SearchIcon,
        run: () => {
          searchFor(text.trim());
          void navigate({ to: "/search" });
        },
      });
    if (whose) {
      // Until they are there Enter takes nothing, least of all the search below them.
      if (coming) return all;
      for (const row of cases.data ?? []) toConversation(row.id, row.contact.name || row.contact.address, row.subject || t("row.no_subject"), t("palette.conversations"));
      search();
      return all;
    }
    const key = (letter: string) => session.user.single_key_shortcuts && <kbd className={css.key}>{letter}</kbd>;
    const other: Item[] = [];
    if (open) {
      const who = open.contact.name || open.contact.address;
      other.push({ id: "reply", group: t("palette.actions"), text: t("palette.write", { who }), more: key("r"), icon: ReplyIcon, run: () => compose(open.id, "reply") });
      other.push({ id: "forward", group: t("palette.actions"), text: t("palette.forward", { who }), more: key("f"), icon: PassOnIcon, run: () => compose(open.id, "forward") });
      other.push({ id: "print", group: t("palette.actions"), text: t("palette.print", { who }), more: key("p"), icon: PrintIcon, run: () => openPrint(open.id) });
      other.push({ id: "note", group: t("palette.actions"), text: t("palette.write_note", { who }), more: key("n"), icon: LockIcon, run: () => compose(open.id, "note") });
      if (open.status !== "resolved") {
        other.push({ id: "resolve", group: t("palette.actions"), text: t("action.resolve_named", { who }), icon: CheckIcon, run: () => void actions.setStatus(open.id, "resolved") });
      } else {
        other.push({ id: "reopen", group: t("palette.actions"), text: t("action.reopen_named", { who }), icon: InboxIcon, run: () => void actions.setStatus(open.id, "open") });
      }
      if (open.assignee?.id !== session.user.id) {
        other.push({ id: "take", group: t("palette.actions"), text: t("action.assign_me_named", { who }), icon: UserIcon, run: () => void actions.assign(open.id, session.user) });
      }
    }
    other.push({ id: "new-mail", group: t("palette.actions"), text: t("new_mail.title"), more: key("c"), icon: PencilIcon, run: () => void navigate({ to: "/inbox/$view/$conversation", params: { view: "mine", conversation: NEW } }) });
    if (session.permissions.includes("answer")) {
      const add = () => {
        addContact();
        if (!location.pathname.startsWith("/contacts")) void navigate({ to: "/contacts" });
      };
      other.push({ id: "new-contact", group: t("palette.actions"), text: t("contacts.new"), icon: ContactsIcon, run: add });
    }
    if (open) {
      const who = open.contact.name || open.contact.address;
      const tool = (name: Tool, letter: string, text: string, icon: Icon) =>
        other.push({ id: `tool-${name}`, group: t("palette.actions"), text, more: key(letter), icon, run: () => openTool(name) });
      tool("assign", "a", t("palette.assign", { who }), UserIcon);
      tool("tag", "t", t("palette.tag", { who }), TagIcon);
      tool("snooze", "z", t("palette.snooze", { who }), SnoozeIcon);
      if ((queues?.length ?? 0) > 1) tool("queue", "m", t("palette.move", { who }), MoveIcon);
      const whole = (what: Arrangement["what"], text: string, icon: Icon, more?: ReactNode) =>
        other.push({ id: `arrange-${what}`, group: t("palette.actions"), text, more, icon, run: () => arrange({ what, id: open.id }) });
      whole("merge", t("palette.merge", { who }), MergeIcon, key("g"));
      whole("split", t("palette.split", { who }), SplitIcon);
      whole("link", t("palette.link", { who }), LinkIcon);
      if (senders > 1) whole("mailbox", t("palette.mailbox", { who }), MailIcon);
    }
    other.push({ id: "notifications", group: t("palette.views"), text: t("notifications.title"), more: key("b"), icon: BellIcon, run: notifications });
    if (open) {
      const who = open.contact.name || open.contact.address;
      other.push({ id: "macros", group: t("palette.actions"), text: t("palette.macros", { who }), more: key("i"), icon: BoltIcon, run: () => askForMacros([open.id]) });
    }
    // As with tags; and only where there is something to use one on.
    const where = conversation === NEW ? NEW : open?.id;
    for (const one of where && text.trim() ? inOrder(macros ?? []) : []) {
      other.push({ id: `macro-${one.id}`, group: t("palette.actions"), text: t("palette.macro", { name: one.name }), icon: BoltIcon, run: () => offerMacros({ ids: [where ?? NEW], chosen: one.id }) });
    }
    for (const view of VIEWS) {
      other.push({ id: `view-${view}`, group: t("palette.views"), text: t(VIEW_NAMES[view]), icon: InboxIcon, run: () => void navigate({ to: "/inbox/$view", params: { view } }) });
    }
    for (const view of saved ?? []) {
      other.push({ id: `saved-${view.id}`, group: t("palette.views"), text: view.name, icon: ViewsIcon, run: () => void navigate({ to: "/inbox/$view", params: { view: view.id } }) });
    }
    // There may be many: they are for who types.
    for (const tag of text.trim() ? (tags ?? []) : []) {
      other.push({ id: `tag-${tag.id}`, group: t("palette.views"), text: t("palette.tagged", { tag: tag.name }), icon: TagIcon, run: () => void navigate({ to: "/inbox/$view", params: { view: tagView(tag.id) } }) });
    }
    for (const queue of text.trim() ? (queues ?? []) : []) {
      other.push({ id: `queue-${queue.id}`, group: t("palette.views"), text: t("palette.queue", { queue: queue.name }), icon: QueueIcon, run: () => void navigate({ to: "/inbox/$view", params: { view: queueView(queue.id) } }) });
    }
    other.push({ id: "contacts", group: t("palette.views"), text: t("rail.contacts"), icon: ContactsIcon, run: () => void navigate({ to: "/contacts" }) });
    if (session.user.privacy_officer) {
      other.push({ id: "privacy", group: t("rail.privacy"), text: t("ledger.title"), icon: ShieldIcon, run: () => void navigate({ to: "/privacy" }) });
    }
    for (const section of SECTIONS) {
      if (!section.may(session)) continue;
      other.push({ id: section.to, group: t("rail.settings"), text: t(section.name), icon: section.icon, run: () => void navigate({ to: section.to }) });
    }
    other.push({ id: "sign-out", group: t("rail.settings"), text: t("action.sign_out"), icon: OutIcon, run: signOut });
    other.push({ id: "help", group: t("palette.help"), text: t("help.title"), more: key("?"), icon: InfoIcon, run: help });
    all.push(...other.filter((item) => fits(`${item.group} ${item.text}`, text)));
    for (const one of q.length >= 3 && text.trim().length >= 3 ? (people.data?.contacts ?? []) : []) {
      all.push({
        id: `person-${one.id}`,
        group: t("palette.people"),
        text: one.name || one.address,
        more: one.name ? one.address : undefined,
        icon: UserIcon,
        stays: true,
        run: () => {
          setPerson(one);
          setText(wordsFor(one));
          setAt(0);
          // A click has taken it to what is not there any more.
          input.current?.focus();
        },
      });
    }
    if (text.trim().length >= 2) {
      for (const hit of found.data?.items ?? []) {
        const row = hit.conversation;
        if (all.some((item) => item.id.endsWith(row.id))) continue;
        toConversation(row.id, row.contact.name || row.contact.address, row.subject, t("palette.conversations"));
      }
      search();
    }
    return all;
  }, [text, q, whose, coming, cases.data, found.data, people.data, help, notifications, conversation, actions, navigate, session, signOut, saved, tags, macros, queues, senders, t]);

  const chosen = Math.min(at, items.length - 1);
  useEffect(() => {
    list.current?.querySelector(`[data-at="${chosen}"]`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const run = (item: Item | undefined) => {
    if (!item) return;
    if (!item.stays) close();
    item.run();
  };

  return (
    <Modal.Root opened onClose={close} lockScroll={false} size={560} padding={0} yOffset="12vh" centered={false} transitionProps={{ duration: 120 }}>
      <Modal.Overlay backgroundOpacity={0.4} />
      <Modal.Content aria-label={t("palette.name")}>
        <div className={css.field}>
          <SearchIcon />
          <input
            ref={field}
            data-autofocus
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-items"
            aria-activedescendant={items[chosen] ? `palette-${chosen}` : undefined}
            aria-label={t("palette.field")}
            placeholder={t("palette.hint")}
            value={text}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => {
              setText(event.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={(event) => {
              if (event.key === "ArrowDown") setAt((chosen + 1) % Math.max(1, items.length));
              else if (event.key === "ArrowUp") setAt((chosen - 1 + items.length) % Math.max(1, items.length));
              else if (event.key === "Enter") run(items[chosen]);
              else return;
              event.preventDefault();
            }}
          />
        </div>
        <div ref={list} id="palette-items" role="listbox" aria-label={t("palette.name")} className={css.items}>
          {items.map((item, index) => (
            <div key={item.id}>
              {items[index - 1]?.group !== item.group && (
                <div className={css.group} aria-hidden="true">
                  {item.group}
                </div>
              )}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field above holds the focus and the keys */}
              <div
                id={`palette-${index}`}
                data-at={index}
                role="option"
                tabIndex={-1}
                aria-selected={index === chosen}
                className={css.item}
                onPointerMove={() => setAt(index)}
                onClick={() => run(item)}
              >
                <item.icon size={16} />
                <span className={css.text}>{item.text}</span>
                {item.more && <span className={css.more}>{item.more}</span>}
              </div>
            </div>
          ))}
          {items.length === 0 && !coming && <p className={css.none}>{t("palette.nothing")}</p>}
        </div>
      </Modal.Content>
    </Modal.Root>
  );
}
