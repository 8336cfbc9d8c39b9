// SPDX-License-Identifier: EUPL-1.2
//! What a person or a case has in the tenant's own fields, to read and to fill in.

import { ApiError, type ChangeValue, type RecordField } from "@belofte/api-client";
import { ActionIcon, Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import {
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { api } from "../app/api";
import { queryClient, recordFieldsQuery } from "../app/queries";
import { FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { PencilIcon } from "../ui/icons";
import { FieldInput } from "./field-input";
import css from "./fields.module.css";
import { focusIn, isFocusLost } from "./focus";
import { begin, changesOf, entryIn, faultOf, type OfQueue, onForm, takenOver, writable } from "./form";
import { noteOf } from "./note";
import { said, shown } from "./value";

export interface OnRecord {
  kind: "contact" | "conversation";
  id: string;
}

/** `queue` is the one on whose forms the fields stand; without it all of them are shown. */
export function PanelFields({ record, queue }: { record: OnRecord; queue?: OfQueue }) {
  const { t } = useWords();
  const title = useId();
  const found = useQuery(recordFieldsQuery(record));
  const [editing, setEditing] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const edited = useRef(false);
  useLayoutEffect(() => {
    // Whoever filled in goes on from the pencil, unless they are somewhere else by now.
    if (edited.current && !editing && isFocusLost()) pencil.current?.focus();
    edited.current = editing;
  }, [editing]);
  const all = onForm(found.data?.items ?? [], queue);
  // A form that somebody is in stays, also when a colleague takes its last field away.
  if (all.length === 0 && !editing) return null;
  const filled = all.filter((one) => one.value != null || one.was != null);
  const may = writable(all).length > 0;
  const name = t(record.kind === "contact" ? "fields.of_person" : "fields.of_case");
  return (
    <section aria-labelledby={title}>
      <div className={css.head}>
        <h3 id={title}>{name}</h3>
        {may && !editing && (
          <ActionIcon
            ref={pencil}
            size={26}
            aria-label={t(record.kind === "contact" ? "fields.edit_person" : "fields.edit_case")}
            onClick={() => setEditing(true)}
            // The rest of this press would otherwise be one in the first input, and send the form off.
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.repeat) return;
              event.preventDefault();
              setEditing(true);
            }}
          >
            <PencilIcon size={14} />
          </ActionIcon>
        )}
      </div>
      {editing ? (
        <Editing
          record={record}
          queue={queue}
          fields={writable(all)}
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

/** Whether a colleague was first; a field that is not there any more is one that they took away. */
const isOvertaken = (error: unknown) =>
  error instanceof ApiError &&
  (error.code === "conflict" || error.fields.some((one) => one.field.endsWith(".field_id")));

/** What is edited is of one version: what comes meanwhile is not overwritten unseen. */
function Editing({
  record,
  queue,
  fields,
  done,
}: {
  record: OnRecord;
  queue: OfQueue;
  fields: RecordField[];
  done: () => void;
}) {
  const words = useWords();
  const { t } = words;
  const box = useRef<HTMLFormElement>(null);
  const submitter = useRef<HTMLButtonElement>(null);
  const [form, setForm] = useState(() => begin(fields));
  // Nobody is told what is missing before they tried to save.
  const [tried, setTried] = useState(false);
  const { queryKey } = recordFieldsQuery(record);
  const save = useMutation({
    mutationFn: async (values: ChangeValue[]) => {
      try {
        return await api.fields.change(record, values);
      } catch (error) {
        if (isOvertaken(error)) {
          const now = await api.fields.of(record);
          queryClient.setQueryData(queryKey, now);
          setForm((before) => takenOver(before, writable(onForm(now.items, queue))));
        }
        throw error;
      }
    },
    onSuccess: (list, values) => {
      queryClient.setQueryData(queryKey, list);
      if (values.length > 0) toast(t("did.fields_saved"));
      done();
    },
  });
  // Before the next key comes: it is for the form, and not for the desk around it.
  useLayoutEffect(() => focusIn(box.current), []);
  // The button was off while it waited, and gave the focus away.
  useEffect(() => {
    if (save.isError && isFocusLost()) submitter.current?.focus();
  }, [save.isError]);
  const wrong = (one: RecordField) => {
    const fault = tried && faultOf(form, one, queue);
    if (fault) return t(fault === "ambiguous" ? "fields.ambiguous" : "field_error.required");
    if (!(save.error instanceof ApiError)) return undefined;
    const at = save.variables?.findIndex((other) => other.field_id === one.field_id);
    const found = save.error.fields.find((problem) => problem.field === `values[${at}].value`);
    return found ? words.tOr(`field_error.${found.code}`, "field_error.invalid") : undefined;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const bad = form.base.find((one) => faultOf(form, one, queue));
    if (!bad) return save.mutate(changesOf(form));
    save.reset();
    focusIn(box.current?.querySelector(`[data-field="${bad.field_id}"]`));
  };
  const press = (event: KeyboardEvent) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    // A letter on a box or a button of the form is none of the desk's shortcuts.
    if (key.length === 1 && !ctrlKey && !metaKey && !altKey) event.stopPropagation();
    if (key !== "Escape") return;
    event.stopPropagation();
    done();
  };
  return (
    <form ref={box} className={css.form} onSubmit={submit} noValidate onKeyDown={press}>
      {form.base.map((one) => (
        <div key={one.field_id} data-field={one.field_id}>
          <FieldInput
            field={one}
            entry={entryIn(form, one)}
            error={wrong(one)}
            note={noteOf(form, one, words)}
            change={(next) =>
              setForm((before) => ({
                ...before,
                entries: { ...before.entries, [one.field_id]: next },
              }))
            }
          />
        </div>
      ))}
      {form.gone.map((one) => (
        <p key={one.field_id} role="status">
          {t("fields.gone_named", { field: said(one.label, words.language) })}
        </p>
      ))}
      {save.isError && <FailureLine error={save.error} />}
      <div className={css.buttons}>
        <Button ref={submitter} type="submit" loading={save.isPending}>
          {t("action.save")}
        </Button>
        <Button variant="default" onClick={done}>
          {t("action.cancel")}
        </Button>
      </div>
    </form>
  );
}
