// SPDX-License-Identifier: EUPL-1.2
//! Macros: one's own, and for who may those of everybody.

import type { Macro, MacroTexts, SaveMacro } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useRef, useState } from "react";
import { api } from "../app/api";
import { keys, macrosQuery, queryClient, queuesQuery, tagsQuery, usersQuery } from "../app/queries";
import { useSession } from "../app/session";
import { Blank, explainShort, Failure, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { inOrder, toldOf } from "../macros/macros";
import { BoltIcon, PlusIcon } from "../ui/icons";
import { Page, State, Table } from "./page";
import css from "./page.module.css";

const MacroEditor = lazy(() => import("./macro-editor"));

/** What is edited: one that is there, or one to begin with. */
export interface Edited {
  macro: Macro | null;
  content: SaveMacro;
}

const NOTHING: SaveMacro = { name: "", shared: false, actions: {}, texts: {} };

/** What is kept of a macro, as it is sent. */
const contentOf = ({ name, shared, actions, texts }: Macro): SaveMacro => ({ name, shared, actions, texts: texts ?? {} });

const stale = () => queryClient.invalidateQueries({ queryKey: keys.macros });

export function Macros() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const list = useQuery(macrosQuery);
  const [edited, setEdited] = useState<Edited | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const title = useRef<HTMLDivElement>(null);
  const mayShare = session.permissions.includes("share_views");
  const items = inOrder(list.data?.items ?? []);
  const failed = (error: unknown) => {
    void stale();
    toast(explainShort(error, words), { bad: true });
  };
  const begin = (macro: Macro, make: (whole: Macro) => Edited) => {
    setBusy(macro.id);
    api.macros
      .get(macro.id)
      .then((whole) => setEdited(make(whole)))
      .catch(failed)
      .finally(() => setBusy(null));
  };
  const remove = (macro: Macro) => {
    setBusy(macro.id);
    api.macros
      .get(macro.id)
      .then(async (whole) => {
        await api.macros.remove(macro.id);
        await stale();
        toast(t("did.macro_removed", { name: macro.name }), {
          life: 12_000,
          undo: () => void api.macros.create(contentOf(whole)).then(stale).catch(failed),
        });
        title.current?.focus();
      })
      .catch(failed)
      .finally(() => setBusy(null));
  };
  if (edited) {
    return (
      <Suspense fallback={<Skeleton rows={6} />}>
        <MacroEditor edited={edited} mayShare={mayShare} done={() => setEdited(null)} />
      </Suspense>
    );
  }
  return (
    <Page
      title={t("settings.macros")}
      lead={t("macro.lead")}
      action={
        <Button leftSection={<PlusIcon size={16} />} onClick={() => setEdited({ macro: null, content: NOTHING })}>
          {t("macro.new")}
        </Button>
      }
    >
      <div ref={title} tabIndex={-1}>
        {list.isPending && <Skeleton rows={3} />}
        {list.isError && !list.data && <Failure error={list.error} retry={() => void list.refetch()} />}
        {list.data && items.length === 0 && <Blank icon={BoltIcon} title={t("macro.none")} text={t("macro.none_text")} />}
        {items.length > 0 && (
          <Table name={t("settings.macros")} head={[t("macro.name"), t("macro.whose"), t("macro.used"), ""]}>
            {items.map((one) => (
              <Row
                key={one.id}
                macro={one}
                busy={busy === one.id}
                mine={one.shared ? mayShare : one.own}
                edit={() => begin(one, (whole) => ({ macro: whole, content: contentOf(whole) }))}
                copy={() =>
                  begin(one, (whole) => ({
                    macro: null,
                    content: { ...contentOf(whole), name: t("macro.copy_of", { name: whole.name }).slice(0, 80), shared: whole.shared && mayShare },
                  }))
                }
                remove={() => remove(one)}
              />
            ))}
          </Table>
        )}
      </div>
    </Page>
  );
}

interface RowProps {
  macro: Macro;
  busy: boolean;
  /** Whether it may be changed. */
  mine: boolean;
  edit: () => void;
  copy: () => void;
  remove: () => void;
}

const LANGUAGES = { nl: "macro.dutch", en: "macro.english" } as const satisfies Record<keyof MacroTexts, string>;

function Row({ macro, busy, mine, edit, copy, remove }: RowProps) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const users = useQuery(usersQuery).data?.items;
  const tags = useQuery(tagsQuery).data?.items;
  const queues = useQuery(queuesQuery).data?.items;
  const told = toldOf(macro.actions, { users, tags, queues, me: session.user }, words, new Date());
  const says = macro.languages.map((one) => t(LANGUAGES[one])).join(", ");
  const gone = told.some((one) => one.gone);
  const { name } = macro;
  return (
    <tr>
      <td>
        <span className={css.main}>{name}</span>
        <span className={css.sub}>{[says && t("macro.says_in", { languages: says }), ...told.map((one) => one.text)].filter(Boolean).join(" · ")}</span>
        {gone && <State tone="soon">{t("macro.gone_short")}</State>}
      </td>
      <td>{macro.shared ? t("macro.shared") : t("macro.own")}</td>
      <td>
        {t("macro.uses", { count: macro.uses })}
        {macro.used_on && <span className={css.sub}>{t("macro.last_used", { day: words.day(macro.used_on) })}</span>}
      </td>
      <td>
        <div className={css.row}>
          {mine && (
            <Button variant="default" loading={busy} onClick={edit} aria-label={t("macro.edit_named", { name })}>
              {t("macro.edit")}
            </Button>
          )}
          <Button variant="default" disabled={busy} onClick={copy} aria-label={t("macro.copy_named", { name })}>
            {t("macro.copy")}
          </Button>
          {mine && (
            <Button variant="default" disabled={busy} onClick={remove} aria-label={t("macro.remove_named", { name })}>
              {t("macro.remove")}
            </Button>
          )}
        </div>
      </td>
    </tr>
  );
}
