// SPDX-License-Identifier: EUPL-1.2
//! A macro to keep: what it is called, what it says in two languages, what it does, and how that will look.

import type { Language, MacroActions, SaveMacro, Tag, Uuid } from "@belofte/api-client";
import { Button, Menu, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, lazy, type Ref, Suspense, useId, useRef, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient, queuesQuery, sendersQuery, tagsQuery, usersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { TagMark } from "../conversations/tag-chips";
import { escaped, htmlOf } from "../conversations/outgoing";
import type { RichField } from "../conversations/rich";
import { type Key, useWords } from "../i18n";
import { Open } from "../macros/open";
import { acts, pieceOf, toldOf, valuesOf } from "../macros/macros";
import { isFormatted } from "../macros/insertion";
import { type Name, NAMES, placeholder, strangers, unfilledHtml } from "../macros/placeholders";
import { WordsView } from "../macros/words-view";
import { CloseIcon, PlusIcon } from "../ui/icons";
import css from "./macro-editor.module.css";
import type { Edited } from "./macros";
import { Block, Page } from "./page";
import page from "./page.module.css";

const Rich = lazy(() => import("../conversations/rich"));

const LANGUAGES = ["nl", "en"] as const;
const LANGUAGE_NAMES = { nl: "macro.dutch", en: "macro.english" } as const;
const PLACES = {
  "contact.name": "macro.place_contact_name",
  "contact.first_name": "macro.place_first_name",
  "contact.email": "macro.place_email",
  "conversation.subject": "macro.place_subject",
  "conversation.number": "macro.place_number",
  "agent.name": "macro.place_agent",
  "mailbox.name": "macro.place_mailbox",
  today: "macro.place_today",
} as const satisfies Record<Name, Key>;
const STATUSES = [
  ["", "macro.leave"],
  ["open", "status.open"],
  ["waiting", "status.waiting"],
  ["snoozed", "status.snoozed"],
  ["resolved", "status.resolved"],
] as const;

type Written = Record<Language, { html: string; text: string }>;

/** An editor that is empty says nothing. */
const says = ({ text }: { text: string }) => text.trim() !== "";

interface Props {
  edited: Edited;
  mayShare: boolean;
  done: () => void;
}

export default function MacroEditor({ edited: { macro, content }, mayShare, done }: Props) {
  const words = useWords();
  const { t } = words;
  const [name, setName] = useState(content.name);
  const [shared, setShared] = useState(content.shared ?? false);
  const [actions, setActions] = useState<MacroActions>(content.actions ?? {});
  const [written, setWritten] = useState<Written>(() => {
    const of = (language: Language) => {
      const text = content.texts?.[language];
      return { html: text?.html ?? (text?.text ? htmlOf(text.text) : ""), text: text?.text ?? "" };
    };
    return { nl: of("nl"), en: of("en") };
  });
  const begin = LANGUAGES.find((one) => says(written[one])) ?? words.language;
  const [language, setLanguage] = useState<Language>(begin);
  const save = useMutation({
    mutationFn: () => {
      const texts: NonNullable<SaveMacro["texts"]> = {};
      for (const one of LANGUAGES) {
        const { html, text } = written[one];
        // What plain text says as well is kept as that, and fits into plain drafts.
        if (says(written[one])) texts[one] = isFormatted(html) ? { html } : { text };
      }
      const body: SaveMacro = { name: name.trim(), shared, actions, texts, ...(macro ? { version: macro.version } : {}) };
      return macro ? api.macros.change(macro.id, body) : api.macros.create(body);
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.macros });
      done();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const something = LANGUAGES.some((one) => says(written[one])) || acts(actions);
  return (
    <Page title={macro ? t("macro.edit_title") : t("macro.new")}>
      <form className={css.form} onSubmit={submit}>
        <TextInput
          label={t("macro.name")}
          description={t("macro.name_text")}
          required
          withAsterisk={false}
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="off"
          autoFocus
        />
        {mayShare && <Switch label={t("macro.for_all")} description={t("macro.for_all_text")} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />}
        <Block title={t("macro.says")} text={t("macro.says_text")}>
          <div className={css.languages} role="group" aria-label={t("macro.language")}>
            {LANGUAGES.map((one) => (
              <button key={one} type="button" aria-pressed={one === language} onClick={() => setLanguage(one)}>
                {t(LANGUAGE_NAMES[one])}
                {says(written[one]) && <span className="sr-only">{t("macro.has_words")}</span>}
                {says(written[one]) && <span className={css.dot} aria-hidden="true" />}
              </button>
            ))}
          </div>
          <Words
            key={language}
            language={language}
            html={written[language].html}
            change={(html, text) => setWritten((old) => ({ ...old, [language]: { html, text } }))}
          />
        </Block>
        <Block title={t("macro.does")} text={t("macro.does_text")}>
          <Actions actions={actions} change={setActions} />
        </Block>
        {save.isError && <FailureLine error={save.error} />}
        <div className={page.row}>
          <Button type="submit" loading={save.isPending} disabled={name.trim() === "" || !something}>
            {t("action.save")}
          </Button>
          <Button variant="default" onClick={done}>
            {t("action.cancel")}
          </Button>
          {!something && <span className={css.hint}>{t("macro.nothing")}</span>}
        </div>
      </form>
    </Page>
  );
}

interface WordsProps {
  language: Language;
  html: string;
  change: (html: string, text: string) => void;
}

/** The words in one language, what can be filled in, and how it looks with an example. */
function Words({ language, html, change }: WordsProps) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const senders = useQuery(sendersQuery).data?.items;
  const field = useRef<RichField>(null);
  const [otherwise, setOtherwise] = useState("");
  const [example, setExample] = useState(true);
  const id = useId();
  const values = valuesOf(
    {
      ...(example ? { contact: { name: t("macro.example_name"), address: "j.jansen@klant.example" } } : {}),
      subject: t("macro.example_subject"),
      no: 1234,
      agent: session.user,
      sender: senders?.[0],
    },
    language,
    new Date(),
  );
  const piece = pieceOf({ text: "", html }, values);
  const unknown = strangers(html);
  const refuse = (files: File[]) => {
    if (files.length > 0) toast(t("macro.no_files"), { bad: true });
  };
  return (
    <div className={css.words}>
      <div className={css.editor}>
        <Suspense fallback={<div className={css.coming} aria-busy="true" />}>
          <Rich html={html} label={t(language === "nl" ? "macro.dutch_words" : "macro.english_words")} change={change} take={refuse} field={field as Ref<RichField>} quiet />
        </Suspense>
      </div>
      <div className={css.fill}>
        <TextInput
          size="xs"
          label={t("macro.otherwise")}
          description={t("macro.otherwise_text")}
          value={otherwise}
          maxLength={60}
          onChange={(event) => setOtherwise(event.currentTarget.value)}
          autoComplete="off"
        />
        <Menu width={240} position="bottom-end">
          <Menu.Target>
            <Button variant="default" leftSection={<PlusIcon size={14} />}>
              {t("macro.fill_in")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {NAMES.map((name) => (
              <Menu.Item key={name} onClick={() => requestAnimationFrame(() => field.current?.put(escaped(placeholder(name, otherwise))))}>
                {t(PLACES[name])}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
      {unknown.length > 0 && (
        <p className={css.warning} role="status">
          {t("macro.unknown", { what: unknown.join(", ") })}
        </p>
      )}
      <section className={css.preview} aria-labelledby={id}>
        <div className={css.head}>
          <h4 id={id}>{t("macro.preview")}</h4>
          <button type="button" aria-pressed={!example} onClick={() => setExample((now) => !now)}>
            {t("macro.without_name")}
          </button>
        </div>
        {html && (
          <div lang={language}>
            <WordsView piece={piece} />
          </div>
        )}
        <Open open={unfilledHtml(piece.html ?? "")} />
      </section>
    </div>
  );
}

interface ActionsProps {
  actions: MacroActions;
  change: (actions: MacroActions) => void;
}

function Actions({ actions, change }: ActionsProps) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const users = useQuery(usersQuery).data?.items;
  const queues = useQuery(queuesQuery).data?.items;
  const tags = useQuery(tagsQuery).data?.items;
  const told = toldOf(actions, { users, tags, queues, me: session.user }, words, new Date());
  const put = (part: { [K in keyof MacroActions]?: MacroActions[K] | undefined }) => {
    const next = Object.entries({ ...actions, ...part }).filter(([, value]) => value !== undefined);
    change(Object.fromEntries(next) as MacroActions);
  };
  const setStatus = (status: string) => {
    const wanted = STATUSES.find(([one]) => one === status)?.[0] || undefined;
    put({ status: wanted, snooze: wanted === "snoozed" ? { days: 1, time: "09:00" } : undefined });
  };
  const { snooze } = actions;
  const assignee = actions.assignee ?? "any";
  const lost = assignee !== "any" && assignee !== "me" && assignee !== "none" && users?.find((one) => one.id === assignee)?.state !== "active";
  return (
    <div className={css.actions}>
      <div className={css.pair}>
        <NativeSelect
          label={t("view.status")}
          value={actions.status ?? ""}
          onChange={(event) => setStatus(event.currentTarget.value)}
          data={STATUSES.map(([value, label]) => ({ value, label: t(label) }))}
        />
        {snooze && (
          <NativeSelect
            label={t("macro.for_how_long")}
            value={snooze.hours ? "hours" : "days"}
            onChange={(event) => put({ snooze: event.currentTarget.value === "hours" ? { hours: 4 } : { days: 1, time: "09:00" } })}
            data={[
              { value: "days", label: t("macro.days") },
              { value: "hours", label: t("macro.hours") },
            ]}
          />
        )}
        {snooze && (
          <TextInput
            type="number"
            min={1}
            max={snooze.hours ? 8784 : 366}
            label={t(snooze.hours ? "macro.hours" : "macro.days")}
            value={String(snooze.hours ?? snooze.days ?? 1)}
            onChange={(event) => {
              const count = Math.max(1, Math.min(snooze.hours ? 8784 : 366, Math.round(Number(event.currentTarget.value) || 1)));
              put({ snooze: snooze.hours ? { hours: count } : { ...snooze, days: count } });
            }}
          />
        )}
        {snooze?.days && (
          <TextInput type="time" label={t("snooze.time")} value={snooze.time ?? "09:00"} onChange={(event) => put({ snooze: { ...snooze, time: event.currentTarget.value || "09:00" } })} />
        )}
      </div>
      <NativeSelect
        label={t("assign.menu")}
        value={assignee}
        onChange={(event) => put({ assignee: event.currentTarget.value === "any" ? undefined : event.currentTarget.value })}
        data={[
          { value: "any", label: t("macro.leave") },
          { value: "me", label: t("macro.who_uses") },
          { value: "none", label: t("assign.nobody") },
          ...(lost ? [{ value: assignee, label: t("macro.gone_user", { name: users?.find((one) => one.id === assignee)?.name ?? "" }) }] : []),
          ...(users ?? []).filter((one) => one.state === "active").map((one) => ({ value: one.id, label: one.name })),
        ]}
      />
      {((queues?.length ?? 0) > 1 || actions.queue_id) && (
        <NativeSelect
          label={t("channel.queue")}
          value={actions.queue_id ?? ""}
          onChange={(event) => put({ queue_id: event.currentTarget.value || undefined })}
          data={[
            { value: "", label: t("macro.leave") },
            ...(actions.queue_id && queues && !queues.some((one) => one.id === actions.queue_id) ? [{ value: actions.queue_id, label: t("macro.gone_queue") }] : []),
            ...(queues ?? []).map((one) => ({ value: one.id, label: one.name })),
          ]}
        />
      )}
      <TagPick
        label={t("macro.give_tags")}
        ids={actions.add_tag_ids ?? []}
        tags={(tags ?? []).filter((one) => !one.archived && !actions.remove_tag_ids?.includes(one.id))}
        all={tags}
        change={(ids) => put({ add_tag_ids: ids.length > 0 ? ids : undefined })}
      />
      <TagPick
        label={t("macro.take_tags")}
        ids={actions.remove_tag_ids ?? []}
        tags={(tags ?? []).filter((one) => !actions.add_tag_ids?.includes(one.id))}
        all={tags}
        change={(ids) => put({ remove_tag_ids: ids.length > 0 ? ids : undefined })}
      />
      {told.some((one) => one.gone) && (
        <p className={css.warning} role="status">
          {t("macro.gone_editor")}
        </p>
      )}
    </div>
  );
}

interface TagPickProps {
  label: string;
  ids: readonly Uuid[];
  /** Those that can be chosen. */
  tags: Tag[];
  all: Tag[] | undefined;
  change: (ids: Uuid[]) => void;
}

function TagPick({ label, ids, tags, all, change }: TagPickProps) {
  const { t } = useWords();
  const more = tags.filter((one) => !ids.includes(one.id));
  return (
    <div className={css.tags}>
      <NativeSelect
        label={label}
        value=""
        disabled={more.length === 0 || ids.length >= 20}
        onChange={(event) => event.currentTarget.value && change([...ids, event.currentTarget.value])}
        data={[{ value: "", label: t("macro.choose_tag") }, ...more.map((one) => ({ value: one.id, label: one.name }))]}
      />
      {ids.length > 0 && (
        <ul aria-label={label}>
          {ids.map((id) => {
            const tag = all?.find((one) => one.id === id);
            const name = tag?.name ?? t("macro.gone_tag", { tag: "" });
            return (
              <li key={id}>
                {tag && <TagMark colour={tag.colour} />}
                <span>{name}</span>
                <button type="button" aria-label={t("macro.without_tag", { tag: name })} onClick={() => change(ids.filter((one) => one !== id))}>
                  <CloseIcon size={12} />
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
