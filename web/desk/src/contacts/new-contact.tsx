// SPDX-License-Identifier: EUPL-1.2
//! Somebody who has not written yet: their name, their addresses and what is kept of them. What was typed stays in this
//! tab until it is sent or thrown away, so that Escape costs nothing.

import { ApiError, type Contact, type RecordField } from "@belofte/api-client";
import { ActionIcon, Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { api, newKey } from "../app/api";
import { arrive } from "../app/hold";
import { queryClient } from "../app/queries";
import { FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { FieldInput } from "../fields/field-input";
import { focusIn, isFocusLost } from "../fields/focus";
import { begin, entryIn, faultOf, type Form, onForm, takenOver, writable } from "../fields/form";
import { noteOf } from "../fields/note";
import { said } from "../fields/value";
import { useWords } from "../i18n";
import { CloseIcon, PlusIcon } from "../ui/icons";
import { type AddressInput, addressInput, attemptOf, type Faults, faultsOf, keepTyped, keptTyped, MOST_ADDRESSES, type Sent, sentOf } from "./adding";
import css from "./new-contact.module.css";
import { contactFieldsQuery, contactQuery } from "./queries";

interface Props {
  /** Whether it takes the whole screen. */
  full: boolean;
  close: () => void;
  /** They are there now. */
  added: (contact: Contact) => void;
  /** Looks for who has an address. */
  find: (address: string) => void;
}

const fieldsOf = (items: RecordField[]) => writable(onForm(items, undefined));

/** A field of the forms of some queues is not asked for here. */
const isAsked = (one: RecordField) => one.required && one.queue_ids.length === 0;

export function NewContact({ full, close, added, find }: Props) {
  const words = useWords();
  const { t } = words;
  const box = useRef<HTMLFormElement>(null);
  const submitter = useRef<HTMLButtonElement>(null);
  const [before, setBefore] = useState(keptTyped);
  const [name, setName] = useState(before?.name ?? "");
  const [inputs, setInputs] = useState<AddressInput[]>(() => (before?.addresses.length ? before.addresses : [""]).map(addressInput));
  const known = useQuery(contactFieldsQuery);
  const [form, setForm] = useState<Form | null>(null);
  const attempt = useRef(before?.attempt ?? null);
  // Nobody is told what is missing before they tried to save.
  const [tried, setTried] = useState(false);
  // What was changed after it was sent is not called wrong any more.
  const [mended, setMended] = useState<ReadonlySet<string>>(new Set());

  const items = known.data;
  useLayoutEffect(() => {
    // Those it begins with: a field that changes meanwhile does not take away what was typed.
    if (items) setForm((was) => was ?? { ...begin(fieldsOf(items)), entries: before?.entries ?? {} });
  }, [items, before]);
  const keepAll = () =>
    keepTyped({ name, addresses: inputs.map((one) => one.text), entries: form?.entries ?? before?.entries ?? {}, attempt: attempt.current });
  const settled = useRef(false);
  useEffect(() => {
    if (!settled.current) keepAll();
  });
  useLayoutEffect(() => {
    const typed = arrive("new contact")?.replaceAll("\n", " ").trim();
    if (typed) setName((was) => was || typed);
  }, []);

  const save = useMutation({
    mutationFn: async (sent: Sent) => {
      attempt.current = attemptOf(attempt.current, sent.body, newKey);
      keepAll();
      try {
        return await api.contacts.create(sent.body, attempt.current.key);
      } catch (error) {
        if (error instanceof ApiError && faultsOf(error.fields, sent).gone) {
          const now = await api.fields.readable("contact");
          queryClient.setQueryData(contactFieldsQuery.queryKey, now.items);
          setForm((was) => was && takenOver(was, fieldsOf(now.items)));
        }
        throw error;
      }
    },
    onSuccess: (contact) => {
      settled.current = true;
      keepTyped(null);
      queryClient.setQueryData(contactQuery(contact.id).queryKey, contact);
      toast(t("did.contact_added", { who: contact.name || contact.identities[0]?.value || "" }));
    },
  });
  const leave = () => {
    if (!save.isPending) close();
  };
  const throwAway = () => {
    settled.current = true;
    keepTyped(null);
    close();
  };
  const latest = useRef(leave);
  latest.current = leave;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      // What was opened over it closes first, and what it was opened over hears nothing of it.
      const innermost = [...document.querySelectorAll('[aria-modal="true"]')].at(-1);
      if (event.key !== "Escape" || event.isComposing || !innermost?.contains(box.current)) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", listener, true);
    return () => window.removeEventListener("keydown", listener, true);
  }, []);

  const faults: Faults | null = save.error instanceof ApiError && save.variables ? faultsOf(save.error.fields, save.variables) : null;
  const mend = (part: string) => setMended((was) => (was.has(part) ? was : new Set(was).add(part)));
  const nobody = name.trim() === "" && inputs.every((one) => one.text.trim() === "");
  const wordOf = (code: string) => words.tOr(`field_error.${code}`, "field_error.invalid");
  const wrongName = () => {
    if (tried && nobody) return t("contacts.name_or_address");
    if (!faults?.name || mended.has("name")) return undefined;
    return faults.name === "required" ? t("contacts.name_or_address") : wordOf(faults.name);
  };
  const wrongAddress = ({ key }: AddressInput) => {
    const code = mended.has(key) ? undefined : faults?.addresses.get(key);
    if (!code) return undefined;
    return code === "taken" ? t("contacts.address_twice") : code === "invalid" ? t("contacts.address_invalid") : wordOf(code);
  };
  const wrongField = (of: Form, one: RecordField) => {
    const fault = tried && faultOf(of, one, undefined);
    if (fault) return fault === "ambiguous" ? t("fields.ambiguous") : wordOf("required");
    const code = mended.has(one.field_id) ? undefined : faults?.fields.get(one.field_id);
    return code ? wordOf(code) : undefined;
  };
  const taken = (faults?.taken ?? []).filter((address) => inputs.some((one) => one.text.trim() === address));
  const missing = (of: Form) =>
    nobody ? "name" : of.base.find((one) => faultOf(of, one, undefined))?.field_id;
  const goTo = (part: string) => focusIn(box.current?.querySelector(`[data-part="${part}"]`));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!form || save.isPending) return;
    setTried(true);
    const part = missing(form);
    if (part) {
      save.reset();
      return goTo(part);
    }
    setMended(new Set());
    save.mutate(sentOf(name, inputs, form), { onSuccess: added });
  };
  // The button was off while it waited, and gave the focus away: on to what is wrong.
  useEffect(() => {
    if (!save.error) return;
    const wrong = box.current?.querySelector("[data-wrong]");
    if (wrong) focusIn(wrong);
    else if (isFocusLost()) submitter.current?.focus();
  }, [save.error]);

  const asked = useRef<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: goes to the input that was just added, once it is there
  useLayoutEffect(() => {
    if (asked.current) goTo(asked.current);
    asked.current = null;
  }, [inputs]);
  const more = () => {
    const next = addressInput();
    asked.current = next.key;
    setInputs([...inputs, next]);
  };
  const remove = (at: number) => {
    const left = inputs.filter((_, other) => other !== at);
    asked.current = left[Math.min(at, left.length - 1)]?.key ?? null;
    setInputs(left);
  };
  const anew = () => {
    keepTyped(null);
    attempt.current = null;
    setBefore(null);
    setName("");
    setInputs([addressInput()]);
    setForm(items ? begin(fieldsOf(items)) : null);
    setTried(false);
    save.reset();
    goTo("name");
  };
  const errorOfName = wrongName();

  return (
    <Modal
      opened
      onClose={leave}
      title={t("contacts.new")}
      size={520}
      fullScreen={full}
      closeOnEscape={false}
      classNames={{ content: css.content ?? "", body: css.body ?? "" }}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <form ref={box} className={css.form} onSubmit={submit} noValidate>
        <div className={css.inputs}>
          {before && (
            <p className={css.kept}>
              <span role="status">{t("contacts.typed_before")}</span>
              <button type="button" onClick={anew}>
                {t("contacts.begin_anew")}
              </button>
            </p>
          )}
          <div data-part="name" data-wrong={errorOfName !== undefined || undefined}>
            <TextInput
              label={t("contacts.name")}
              value={name}
              maxLength={200}
              error={errorOfName}
              onChange={(event) => {
                setName(event.currentTarget.value);
                mend("name");
              }}
              autoComplete="off"
              data-autofocus
            />
          </div>
          <fieldset className={css.addresses}>
            <legend>{t("contacts.addresses")}</legend>
            {inputs.map((one, at) => {
              const error = wrongAddress(one);
              const theirs = taken.includes(one.text.trim());
              return (
                <div key={one.key} className={css.address} data-part={one.key} data-wrong={Boolean(error) || theirs || undefined}>
                  <TextInput
                    aria-label={t("contacts.address_no", { no: at + 1 })}
                    inputMode="email"
                    autoCapitalize="off"
                    spellCheck={false}
                    autoComplete="off"
                    maxLength={320}
                    value={one.text}
                    error={error ?? theirs}
                    onChange={(event) => {
                      const text = event.currentTarget.value;
                      setInputs(inputs.map((other) => (other === one ? { ...one, text } : other)));
                      mend(one.key);
                    }}
                  />
                  {inputs.length > 1 && (
                    <ActionIcon aria-label={t("contacts.remove_address", { no: at + 1 })} onClick={() => remove(at)}>
                      <CloseIcon size={16} />
                    </ActionIcon>
                  )}
                </div>
              );
            })}
            {taken.length > 0 && (
              <div className={css.taken} role="alert">
                <p>{t("contacts.address_taken", { count: taken.length })}</p>
                {taken.map((address) => (
                  <button key={address} type="button" onClick={() => find(address)}>
                    {t("contacts.find_address", { address })}
                  </button>
                ))}
              </div>
            )}
            {inputs.length < MOST_ADDRESSES && (
              <Button className={css.more ?? ""} variant="default" leftSection={<PlusIcon size={14} />} onClick={more}>
                {t("contacts.another_address")}
              </Button>
            )}
          </fieldset>
          {form?.base.map((one) => {
            const error = wrongField(form, one);
            return (
              <div key={one.field_id} data-part={one.field_id} data-wrong={error !== undefined || undefined}>
                <FieldInput
                  field={{ ...one, required: isAsked(one) }}
                  entry={entryIn(form, one)}
                  error={error}
                  note={noteOf(form, one, words)}
                  change={(next) => {
                    setForm((was) => was && { ...was, entries: { ...was.entries, [one.field_id]: next } });
                    mend(one.field_id);
                  }}
                />
              </div>
            );
          })}
          {form?.gone.map((one) => (
            <p key={one.field_id} role="status">
              {t("fields.gone_named", { field: said(one.label, words.language) })}
            </p>
          ))}
          {!form && (known.isError ? <FailureLine error={known.error} retry={() => void known.refetch()} /> : <Skeleton rows={2} height={48} />)}
          {save.isError && (!faults || faults.other) && <FailureLine error={save.error} />}
        </div>
        <div className={css.foot}>
          <Button variant="default" disabled={save.isPending} onClick={throwAway}>
            {t("action.cancel")}
          </Button>
          <Button ref={submitter} type="submit" loading={save.isPending} disabled={!form}>
            {t("contacts.add")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
