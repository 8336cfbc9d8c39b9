// SPDX-License-Identifier: EUPL-1.2
//! What a person or a case has in the tenant's own fields, to read and to fill in.

import { ApiError, type RecordField } from "@belofte/api-client";
import { ActionIcon, Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { api } from "../app/api";
import { queryClient, recordFieldsQuery } from "../app/queries";
import { FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { PencilIcon } from "../ui/icons";
import { FieldInput } from "./field-input";
import css from "./fields.module.css";
import { type Entry, entryOf, said, shown, given } from "./value";

export interface OnRecord {
  kind: "contact" | "conversation";
  id: string;
}

/** `queue` is the one on whose forms the fields stand. */
export function PanelFields({ record, queue }: { record: OnRecord; queue: string }) {
  const { t } = useWords();
  const title = useId();
  const found = useQuery(recordFieldsQuery(record));
  const [editing, setEditing] = useState(false);
  const placed = (one: RecordField) => one.queue_ids.length === 0 || one.queue_ids.includes(queue);
  // What stands in a field is shown wherever it is; an empty one only on its own forms.
  const all = (found.data?.items ?? []).filter(
    (one) => placed(one) || one.value != null || one.was != null,
  );
  if (all.length === 0) return null;
  const filled = all.filter((one) => one.value != null || one.was != null);
  const may = all.some((one) => one.writable);
  const name = t(record.kind === "contact" ? "fields.of_person" : "fields.of_case");
  return (
    <section aria-labelledby={title}>
      <div className={css.head}>
        <h3 id={title}>{name}</h3>
        {may && !editing && (
          <ActionIcon
            size={26}
            aria-label={t(record.kind === "contact" ? "fields.edit_person" : "fields.edit_case")}
            onClick={() => setEditing(true)}
          >
            <PencilIcon size={14} />
          </ActionIcon>
        )}
      </div>
      {editing ? (
        <Editing
          record={record}
          fields={all.filter((one) => one.writable)}
          done={() => setEditing(false)}
        />
      ) : filled.length === 0 ? (
        <p className={css.none}>{t("fields.none_filled")}</p>
      ) : (
        <dl className={css.facts}>
          {filled.map((one) => (
            <Fact key={one.field_id} field={one} />
          ))}
        </dl>
      )}
    </section>
  );
}

function Fact({ field }: { field: RecordField }) {
  const words = useWords();
  return (
    <div>
      <dt>{said(field.label, words.language)}</dt>
      <dd>
        {field.value != null && <Value field={field} />}
        {field.was != null && (
          <span className={css.was}>{words.t("fields.was", { value: field.was })}</span>
        )}
      </dd>
    </div>
  );
}

function Value({ field }: { field: RecordField }) {
  const words = useWords();
  const { value, kind } = field;
  if (value == null) return null;
  const text = shown(field, value, words);
  if (kind === "url" && typeof value === "string" && /^https?:\/\//i.test(value)) {
    return (
      <a href={value} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
    );
  }
  if (kind === "phone" && typeof value === "string") return <a href={`tel:${value}`}>{text}</a>;
  return text;
}

/** What is edited is of one version: what comes meanwhile is not overwritten unseen. */
function Editing({
  record,
  fields,
  done,
}: {
  record: OnRecord;
  fields: RecordField[];
  done: () => void;
}) {
  const words = useWords();
  const { t } = words;
  const [begun] = useState(fields);
  const [entries, setEntries] = useState<Record<string, Entry>>(() =>
    Object.fromEntries(
      fields.map((one) => [
        one.field_id,
        entryOf(one, one.value ?? (one.version === 0 ? one.default : null)),
      ]),
    ),
  );
  const entry = (one: RecordField) => entries[one.field_id] ?? entryOf(one, null);
  // By what stands in the inputs: a value of more than they show, such as seconds, is not written anew unseen.
  const touched = (one: RecordField) =>
    one.version === 0
      ? given(one, entry(one)) !== null
      : JSON.stringify(entry(one)) !== JSON.stringify(entryOf(one, one.value));
  const changes = () =>
    begun
      .filter(touched)
      .map((one) => ({
        field_id: one.field_id,
        version: one.version,
        value: given(one, entry(one)),
      }));
  const save = useMutation({
    mutationFn: (values: ReturnType<typeof changes>) => api.fields.change(record, values),
    onSuccess: (list, values) => {
      queryClient.setQueryData(recordFieldsQuery(record).queryKey, list);
      if (values.length > 0) toast(t("did.fields_saved"));
      done();
    },
  });
  const wrong = (one: RecordField) => {
    if (!(save.error instanceof ApiError)) return undefined;
    const at = save.variables?.findIndex((other) => other.field_id === one.field_id);
    const found = save.error.fields.find((problem) => problem.field === `values[${at}].value`);
    return found ? words.tOr(`field_error.${found.code}`, "field_error.invalid") : undefined;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(changes());
  };
  return (
    <form
      className={css.form}
      onSubmit={submit}
      noValidate
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        done();
      }}
    >
      {begun.map((one) => (
        <FieldInput
          key={one.field_id}
          field={one}
          entry={entry(one)}
          error={wrong(one)}
          change={(next) => setEntries((all) => ({ ...all, [one.field_id]: next }))}
        />
      ))}
      {save.isError && <FailureLine error={save.error} />}
      <div className={css.buttons}>
        <Button type="submit" loading={save.isPending}>
          {t("action.save")}
        </Button>
        <Button variant="default" onClick={done}>
          {t("action.cancel")}
        </Button>
      </div>
    </form>
  );
}
