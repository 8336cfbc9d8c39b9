// SPDX-License-Identifier: EUPL-1.2
//! What a key or a button opens over one conversation or over many: colleagues, tags, queues, moments.

import type { ConversationRow, Queue, Tag, TagRef, UserRef } from "@belofte/api-client";
import { Button, Popover, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { arrive, type Field } from "../app/hold";
import { keys, queryClient, queuesQuery, tagsQuery, usersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { explainShort, FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CheckIcon, ClockIcon, PlusIcon, UserIcon } from "../ui/icons";
import { Monogram } from "../ui/monogram";
import { useActions } from "./actions";
import type { Tool } from "./tool";
import { dayField, momentOf, offers } from "./snooze-times";
import { TagMark } from "./tag-chips";
import css from "./tools.module.css";

interface Props {
  tool: Tool;
  /** What it is done with. */
  rows: ConversationRow[];
  open: boolean;
  setOpen: (open: boolean) => void;
  className: string | undefined;
  label: string;
  title?: string;
  children: ReactNode;
}

export function ToolMenu({ tool, rows, open, setOpen, className, label, title, children }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const shut = () => {
    // The focus goes back before the list fades away: the next key is a shortcut already.
    if (list.current?.contains(document.activeElement)) button.current?.focus();
    setOpen(false);
  };
  return (
    <Popover
      opened={open}
      onChange={(next) => (next ? setOpen(true) : shut())}
      width={300}
      position="bottom-start"
      trapFocus
      shadow="md"
      transitionProps={{ duration: 120 }}
    >
      <Popover.Target>
        <button
          ref={button}
          type="button"
          className={className}
          aria-label={label}
          title={title}
          onClick={() => (open ? shut() : setOpen(true))}
        >
          {children}
        </button>
      </Popover.Target>
      <Popover.Dropdown ref={list} p={6} aria-label={label}>
        {tool === "assign" ? (
          <Colleagues rows={rows} shut={shut} />
        ) : tool === "tag" ? (
          <Tags rows={rows} shut={shut} />
        ) : tool === "queue" ? (
          <Queues rows={rows} shut={shut} />
        ) : (
          <Moments rows={rows} shut={shut} />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

interface ListProps {
  rows: ConversationRow[];
  shut: () => void;
}

const idsOf = (rows: ConversationRow[]) => rows.map((row) => row.id);

interface Choice {
  id: string;
  text: string;
  mark: ReactNode;
  /** Whether it is so already; some of several have it. */
  on?: boolean | "some";
  /** Only while nothing is typed. */
  bare?: boolean;
  run: () => void;
}

interface ChoicesProps {
  field: Field;
  hint: string;
  none: string;
  /** Whether the choices are known. */
  ready: boolean;
  choices: Choice[];
  /** What can be done with what was typed when no choice is called so. */
  more?: (typed: string) => Choice | null;
  children?: ReactNode;
}

/** A field that narrows a list; Enter takes the first, arrows walk. */
function Choices({ field, hint, none, ready, choices, more, children }: ChoicesProps) {
  const [filter, setFilter] = useState("");
  // Enter came before the field or its choices were there: it is meant for them all the same.
  const [entered, setEntered] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const typed = filter.trim();
  const wanted = typed.toLowerCase();
  const found = choices.filter((choice) => (wanted ? !choice.bare && choice.text.toLowerCase().includes(wanted) : true));
  // Who types the whole of a name means it, whatever else begins so.
  const exact = found.find((choice) => choice.text.toLowerCase() === wanted);
  const last = ready && typed && !exact ? more?.(typed) : null;
  const shown = last ? [...found, last] : found;
  useLayoutEffect(() => {
    input.current?.focus({ preventScroll: true });
    const text = arrive(field) ?? "";
    setFilter(text.replace(/\n/g, ""));
    setEntered(text.includes("\n"));
  }, [field]);
  const first = typed ? (exact ?? shown[0]) : undefined;
  useEffect(() => {
    if (!entered || !ready) return;
    setEntered(false);
    first?.run();
  }, [entered, ready, first]);
  const walk = (event: KeyboardEvent, step: 1 | -1) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    event.preventDefault();
    if (at + step < 0) input.current?.focus();
    else buttons[Math.min(at + step, buttons.length - 1)]?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hands the arrow keys to the field and the buttons in it
    <div
      onKeyDown={(event) => {
        if (event.key === "ArrowDown") walk(event, 1);
        if (event.key === "ArrowUp") walk(event, -1);
      }}
    >
      <TextInput
        ref={input}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !typed) return;
          // The focus moves now; the key must not press what it moves to.
          event.preventDefault();
          setEntered(true);
        }}
        placeholder={hint}
        aria-label={hint}
        autoComplete="off"
        data-autofocus
      />
      <ul ref={list} className={css.choices}>
        {shown.map((choice) => (
          <li key={choice.id}>
            <button type="button" aria-pressed={choice.on === undefined ? undefined : choice.on === "some" ? "mixed" : choice.on} onClick={choice.run}>
              {choice.mark}
              <span>{choice.text}</span>
              {choice.on && (choice.on === "some" ? <span className={css.some} aria-hidden="true" /> : <CheckIcon size={14} />)}
            </button>
          </li>
        ))}
      </ul>
      {ready && shown.length === 0 && typed && <p className={css.none}>{none}</p>}
      {children}
    </div>
  );
}

/** Whether all, some or none of the rows are so. */
function among(rows: ConversationRow[], is: (row: ConversationRow) => boolean): boolean | "some" {
  const count = rows.filter(is).length;
  return count === rows.length ? true : count > 0 ? "some" : false;
}

function Colleagues({ rows, shut }: ListProps) {
  const { t } = useWords();
  const session = useSession();
  const actions = useActions();
  const users = useQuery(usersQuery);
  const mine = among(rows, (row) => row.assignee?.id === session.user.id) === true;
  const choose = (user: UserRef | null) => {
    shut();
    void actions.assign(idsOf(rows), user);
  };
  const choices: Choice[] = [];
  if (!mine) {
    choices.push({ id: "me", text: t("action.assign_me"), mark: <Monogram name={session.user.name} size={20} />, bare: true, run: () => choose(session.user) });
  }
  if (rows.some((row) => row.assignee)) {
    choices.push({ id: "nobody", text: t("assign.release"), mark: <UserIcon size={20} />, bare: true, run: () => choose(null) });
  }
  for (const user of users.data?.items ?? []) {
    if (user.state !== "active" || user.id === session.user.id) continue;
    const on = among(rows, (row) => row.assignee?.id === user.id);
    choices.push({ id: user.id, text: user.name, mark: <Monogram name={user.name} size={20} />, ...(on ? { on } : {}), run: () => choose(user) });
  }
  return (
    <Choices field="assign" hint={t("assign.filter")} none={t("assign.none")} ready={users.data !== undefined} choices={choices}>
      {users.isError && <FailureLine error={users.error} retry={() => void users.refetch()} />}
    </Choices>
  );
}

function Tags({ rows, shut }: ListProps) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const actions = useActions();
  const tags = useQuery(tagsQuery);
  const give = (tag: TagRef, on: boolean) => {
    shut();
    void actions.tag(idsOf(rows), tag, on);
  };
  const choices = (tags.data?.items ?? []).flatMap((tag: Tag): Choice[] => {
    const on = among(rows, (row) => row.tags.some((one) => one.id === tag.id));
    // One that is archived is only taken off.
    if (tag.archived && !on) return [];
    return [{ id: tag.id, text: tag.name, mark: <TagMark colour={tag.colour} />, on, run: () => give(tag, on !== true) }];
  });
  const make = (name: string) => {
    shut();
    api.tags
      .create({ name })
      .then((tag) => {
        void queryClient.invalidateQueries({ queryKey: keys.tags });
        return actions.tag(idsOf(rows), tag, true);
      })
      .catch((error: unknown) => toast(explainShort(error, words), { bad: true }));
  };
  const may = session.permissions.includes("create_tags");
  const more = (typed: string): Choice | null =>
    may ? { id: "new", text: t("tags.make", { name: typed }), mark: <PlusIcon size={14} />, run: () => make(typed) } : null;
  return (
    <Choices field="tag" hint={t("tags.filter")} none={t("tags.none_found")} ready={tags.data !== undefined} choices={choices} more={more}>
      {tags.isError && <FailureLine error={tags.error} retry={() => void tags.refetch()} />}
      {tags.data && choices.length === 0 && <p className={css.none}>{may ? t("tags.none_make") : t("tags.none_ask")}</p>}
    </Choices>
  );
}

function Queues({ rows, shut }: ListProps) {
  const { t } = useWords();
  const actions = useActions();
  const queues = useQuery(queuesQuery);
  const choices = (queues.data?.items ?? []).map((queue: Queue): Choice => {
    const on = among(rows, (row) => row.queue.id === queue.id);
    return {
      id: queue.id,
      text: queue.name,
      mark: null,
      ...(on ? { on } : {}),
      run: () => {
        shut();
        void actions.move(idsOf(rows), queue);
      },
    };
  });
  return (
    <Choices field="queue" hint={t("queue.filter")} none={t("queue.none")} ready={queues.data !== undefined} choices={choices}>
      {queues.isError && <FailureLine error={queues.error} retry={() => void queues.refetch()} />}
    </Choices>
  );
}

const OFFERS = { later: "snooze.later", tomorrow: "snooze.tomorrow", monday: "snooze.monday" } as const;

function Moments({ rows, shut }: ListProps) {
  const words = useWords();
  const { t } = words;
  const actions = useActions();
  const [now] = useState(() => new Date());
  const [date, setDate] = useState(() => dayField(new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1)));
  const [time, setTime] = useState("09:00");
  const chosen = momentOf(date, time, now);
  const first = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => first.current?.focus({ preventScroll: true }), []);
  const until = (at: Date) => {
    shut();
    void actions.snooze(idsOf(rows), at);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen) until(chosen);
  };
  const walk = (event: KeyboardEvent<HTMLUListElement>) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const buttons = [...event.currentTarget.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[Math.max(0, Math.min(at + step, buttons.length - 1))]?.focus();
  };
  return (
    <>
      <ul className={css.choices} onKeyDown={walk}>
        {offers(now).map((offer, index) => (
          <li key={offer.name}>
            <button type="button" ref={index === 0 ? first : null} data-autofocus={index === 0 || undefined} onClick={() => until(offer.at)}>
              <ClockIcon size={14} />
              <span>{t(OFFERS[offer.name])}</span>
              <time dateTime={offer.at.toISOString()}>
                {offer.name === "monday" ? words.moment(offer.at.toISOString(), now) : words.clock(offer.at.toISOString())}
              </time>
            </button>
          </li>
        ))}
      </ul>
      <form className={css.moment} onSubmit={submit}>
        <TextInput type="date" label={t("snooze.date")} value={date} min={dayField(now)} onChange={(event) => setDate(event.currentTarget.value)} />
        <TextInput type="time" label={t("snooze.time")} value={time} onChange={(event) => setTime(event.currentTarget.value)} />
        <Button type="submit" variant="default" disabled={!chosen}>
          {chosen ? t("snooze.until", { time: words.moment(chosen.toISOString(), now) }) : t("snooze.past")}
        </Button>
      </form>
    </>
  );
}
