// SPDX-License-Identifier: EUPL-1.2

import type { Tag, UpdateTag } from "@belofte/api-client";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient, tagsQuery } from "../app/queries";
import { mayAdministrate } from "../app/session";
import { Blank, explainShort, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { TagMark } from "../conversations/tag-chips";
import { useWords } from "../i18n";
import { TagIcon } from "../ui/icons";
import { Block, Confirm, Page, State, Table } from "./page";
import css from "./page.module.css";

type Colour = Tag["colour"];
const COLOURS = ["grey", "teal", "blue", "green", "amber", "red", "violet"] as const satisfies Colour[];
const COLOUR_NAMES = {
  grey: "tags.grey",
  teal: "tags.teal",
  blue: "tags.blue",
  green: "tags.green",
  amber: "tags.amber",
  red: "tags.red",
  violet: "tags.violet",
} as const;

const stale = () => queryClient.invalidateQueries({ queryKey: keys.tags });

export function Tags() {
  const { t } = useWords();
  const list = useQuery(tagsQuery);
  const [editing, setEditing] = useState<string | null>(null);
  const items = list.data?.items ?? [];
  return (
    <Page title={t("settings.tags")} lead={t("tags.lead")} may={mayAdministrate}>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && items.length === 0 && <Blank icon={TagIcon} title={t("tags.none")} text={t("tags.none_text")} />}
      {items.length > 0 && (
        <Table name={t("settings.tags")} head={[t("tags.tag_name"), t("tags.state"), ""]}>
          {items.map((tag) => (editing === tag.id ? <Editing key={tag.id} tag={tag} all={items} done={() => setEditing(null)} /> : <Shown key={tag.id} tag={tag} edit={() => setEditing(tag.id)} />))}
        </Table>
      )}
      <NewTag />
    </Page>
  );
}

function Shown({ tag, edit }: { tag: Tag; edit: () => void }) {
  const words = useWords();
  const { t } = words;
  const change = useMutation({ mutationFn: (body: UpdateTag) => api.tags.change(tag.id, body), onSettled: stale });
  const archive = (archived: boolean) =>
    change
      .mutateAsync({ archived })
      .then(() => {
        if (archived) toast(t("did.tag_archived", { tag: tag.name }), { undo: () => archive(false) });
      })
      .catch((error: unknown) => toast(explainShort(error, words), { bad: true }));
  return (
    <tr>
      <td>
        <span className={css.person}>
          <TagMark colour={tag.colour} />
          <span className={css.main}>{tag.name}</span>
        </span>
      </td>
      <td>{tag.archived ? <State tone="plain">{t("tags.archived")}</State> : <State tone="good">{t("tags.in_use")}</State>}</td>
      <td>
        <div className={css.row}>
          <Button variant="default" onClick={edit} aria-label={t("tags.edit_named", { tag: tag.name })}>
            {t("tags.edit")}
          </Button>
          <Button variant="default" loading={change.isPending} onClick={() => void archive(!tag.archived)} aria-label={tag.archived ? t("tags.unarchive_named", { tag: tag.name }) : t("tags.archive_named", { tag: tag.name })}>
            {tag.archived ? t("tags.unarchive") : t("tags.archive")}
          </Button>
        </div>
      </td>
    </tr>
  );
}

function Editing({ tag, all, done }: { tag: Tag; all: Tag[]; done: () => void }) {
  const { t } = useWords();
  const [name, setName] = useState(tag.name);
  const [colour, setColour] = useState<Colour>(tag.colour);
  const [into, setInto] = useState("");
  const change = useMutation({
    mutationFn: () => api.tags.change(tag.id, { name: name.trim(), colour }),
    onSuccess: () => stale().then(done),
  });
  const merge = useMutation({
    mutationFn: () => api.tags.merge(tag.id, into),
    onSuccess: () => stale().then(done),
  });
  const others = all.filter((one) => one.id !== tag.id && !one.archived);
  const other = others.find((one) => one.id === into);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <tr>
      <td colSpan={3} className={css.wide}>
        <form className={css.form} onSubmit={submit}>
          <div className={css.halves}>
            <TextInput label={t("tags.tag_name")} required withAsterisk={false} maxLength={40} value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" autoFocus />
            <ColourField colour={colour} setColour={setColour} />
          </div>
          {change.isError && <FailureLine error={change.error} />}
          <div className={css.row}>
            <Button type="submit" loading={change.isPending} disabled={name.trim() === ""}>
              {t("action.save")}
            </Button>
            <Button variant="default" onClick={done}>
              {t("action.cancel")}
            </Button>
          </div>
          {others.length > 0 && (
            <>
              <NativeSelect
                label={t("tags.merge")}
                description={t("tags.merge_text")}
                value={into}
                onChange={(event) => setInto(event.currentTarget.value)}
                data={[{ value: "", label: t("tags.merge_none") }, ...others.map((one) => ({ value: one.id, label: one.name }))]}
              />
              {merge.isError && <FailureLine error={merge.error} />}
              {other && (
                <div className={css.row}>
                  <Confirm label={t("tags.merge_into", { tag: other.name })} sure={t("tags.merge_sure", { from: tag.name, into: other.name })} loading={merge.isPending} onConfirm={() => merge.mutate()} />
                </div>
              )}
            </>
          )}
        </form>
      </td>
    </tr>
  );
}

function ColourField({ colour, setColour }: { colour: Colour; setColour: (colour: Colour) => void }) {
  const { t } = useWords();
  return (
    <NativeSelect
      label={t("tags.colour")}
      value={colour}
      onChange={(event) => setColour(event.currentTarget.value as Colour)}
      leftSection={<TagMark colour={colour} />}
      data={COLOURS.map((one) => ({ value: one, label: t(COLOUR_NAMES[one]) }))}
    />
  );
}

function NewTag() {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [colour, setColour] = useState<Colour>("grey");
  const create = useMutation({
    mutationFn: () => api.tags.create({ name: name.trim(), colour }),
    onSuccess: () => {
      setName("");
      return stale();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Block title={t("tags.new")}>
      <form className={css.form} onSubmit={submit}>
        <div className={css.halves}>
          <TextInput label={t("tags.tag_name")} required withAsterisk={false} maxLength={40} value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" />
          <ColourField colour={colour} setColour={setColour} />
        </div>
        {create.isError && <FailureLine error={create.error} />}
        <div className={css.row}>
          <Button type="submit" loading={create.isPending} disabled={name.trim() === ""}>
            {t("tags.create")}
          </Button>
        </div>
      </form>
    </Block>
  );
}
