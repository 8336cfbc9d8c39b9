// SPDX-License-Identifier: EUPL-1.2
//! One field of the tenant's own: what it holds, who reads it, what it is kept for, and what becomes of values when it
//! gets another kind.

import {
  ApiError,
  type Audience,
  type Field as FieldOfTenant,
  type FieldKind,
  type FieldOption,
  type FieldProblem,
  type FieldRules,
  type FieldSettings,
  type RecordKind,
  type Sensitivity,
} from "@belofte/api-client";
import { Button, Checkbox, NativeSelect, Switch, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { api } from "../app/api";
import { allQueuesQuery, fieldsQuery, keys, queryClient } from "../app/queries";
import { mayAdministrate } from "../app/session";
import { explainShort, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { FieldInput } from "../fields/field-input";
import { focusIn } from "../fields/focus";
import { type Entry, entryOf, given, isAmbiguous, said } from "../fields/value";
import { useWords } from "../i18n";
import { FieldOptions, type OptionFaults } from "./field-options";
import { Block, Confirm, Page, State } from "./page";
import css from "./page.module.css";

const KINDS: FieldKind[] = [
  "text",
  "long_text",
  "integer",
  "decimal",
  "money",
  "date",
  "date_time",
  "boolean",
  "choice",
  "multiple_choice",
  "tree_choice",
  "phone",
  "email",
  "iban",
  "url",
  "postal_address",
];
const SENSITIVITIES: Sensitivity[] = [
  "ordinary",
  "sensitive",
  "national_identifier",
  "health",
  "criminal",
  "other_special",
];
const REFUSED: Sensitivity[] = ["national_identifier", "health", "criminal", "other_special"];
const AUDIENCES: Audience[] = ["agent", "supervisor", "admin", "program"];
const CHOICES: FieldKind[] = ["choice", "multiple_choice", "tree_choice"];

const stale = () => queryClient.invalidateQueries({ queryKey: keys.fields });

const begin = (): FieldSettings => ({
  kind: "text",
  label: { nl: "", en: "" },
  help: { nl: "", en: "" },
  purpose: "",
  sensitivity: "ordinary",
  options: [],
  rules: {},
  required: false,
  queue_ids: [],
  readers: ["agent", "supervisor", "admin"],
  writers: ["agent", "supervisor", "admin"],
});

/** A year from now less a day, as a form begins with it. */
const inAYear = () => new Date(Date.now() + 365 * 86_400_000).toISOString();

export function NewField() {
  const { t } = useWords();
  const navigate = useNavigate();
  const [record, setRecord] = useState<RecordKind>("contact");
  const create = useMutation({
    mutationFn: (settings: FieldSettings) => api.fields.create({ record, settings }),
    onSuccess: async (made) => {
      toast(t("did.field_saved", { field: said(made.settings.label, "nl") }));
      await stale();
      void navigate({ to: "/settings/fields" });
    },
  });
  return (
    <Page title={t("fields.new")} lead={t("fields.new_lead")} may={mayAdministrate}>
      <Form
        settings={begin()}
        next={1}
        error={create.error}
        pending={create.isPending}
        save={create.mutate}
      >
        <NativeSelect
          label={t("fields.on")}
          value={record}
          onChange={(event) => setRecord(event.currentTarget.value as RecordKind)}
          data={(["contact", "conversation"] as const).map((kind) => ({
            value: kind,
            label: t(`fields.on_${kind}`),
          }))}
        />
      </Form>
    </Page>
  );
}

export function FieldPage() {
  const words = useWords();
  const { t } = words;
  const { field: id = "" } = useParams({ strict: false });
  const list = useQuery(fieldsQuery);
  const field = list.data?.items.find((one) => one.id === id);
  if (list.isPending) return <Skeleton rows={4} />;
  if (list.isError && !list.data)
    return <Failure error={list.error} retry={() => void list.refetch()} />;
  return (
    <Page
      title={field ? said(field.settings.label, words.language) : t("settings.fields")}
      lead={field ? t(`fields.on_${field.record}`) : t("fields.gone")}
      may={mayAdministrate}
      action={
        field?.archived ? (
          <State tone="plain">{t("fields.archived")}</State>
        ) : field?.lapsed ? (
          <State tone="bad">{t("fields.lapsed")}</State>
        ) : null
      }
    >
      {field && <Existing key={field.id} field={field} />}
    </Page>
  );
}

function Existing({ field }: { field: FieldOfTenant }) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate();
  // The field that the form is of. What comes meanwhile does not touch what is typed; it is loaded when that is asked for.
  const [known, setKnown] = useState(field);
  const [loaded, setLoaded] = useState(0);
  const label = said(field.settings.label, words.language);
  // One that was archived or taken into use again is set up as it was: that is no other one to write over.
  const isSame = JSON.stringify(field.settings) === JSON.stringify(known.settings);
  const version = isSame ? Math.max(field.version, known.version) : known.version;
  const save = useMutation({
    mutationFn: (settings: FieldSettings) => api.fields.update(field.id, { version, settings }),
    onSuccess: (saved) => {
      setKnown(saved);
      toast(t("did.field_saved", { field: said(saved.settings.label, words.language) }));
      return stale();
    },
  });
  const load = useMutation({
    mutationFn: () => api.fields.list(),
    onSuccess: (list) => {
      queryClient.setQueryData(fieldsQuery.queryKey, list);
      const now = list.items.find((one) => one.id === field.id);
      if (!now) return;
      save.reset();
      setKnown(now);
      setLoaded((times) => times + 1);
    },
    onError: (error) => toast(explainShort(error, words), { bad: true }),
  });
  const archive = useMutation({
    mutationFn: (archived: boolean) => api.fields.update(field.id, { archived }),
    onSuccess: (_, archived) => {
      toast(
        t(archived ? "did.field_archived" : "did.field_restored", { field: label }),
        archived ? { undo: () => archive.mutate(false) } : {},
      );
      return stale();
    },
  });
  const remove = useMutation({
    mutationFn: () => api.fields.remove(field.id),
    onSuccess: async () => {
      toast(t("did.field_removed", { field: label }));
      await stale();
      void navigate({ to: "/settings/fields" });
    },
  });
  return (
    <>
      {field.lapsed && <p className={css.notice}>{t("fields.lapsed_text")}</p>}
      <Form
        key={loaded}
        settings={known.settings}
        next={known.next_option}
        known={known}
        error={save.error}
        pending={save.isPending}
        save={save.mutate}
        wayOn={
          save.error instanceof ApiError &&
          save.error.code === "conflict" && (
            <Button variant="default" loading={load.isPending} onClick={() => load.mutate()}>
              {t("fields.load_newest")}
            </Button>
          )
        }
      />
      {field.archived ? (
        <Block title={t("fields.restore")} text={t("fields.restore_text")}>
          {(archive.isError || remove.isError) && (
            <FailureLine error={archive.error ?? remove.error} />
          )}
          <div className={css.row}>
            <Button loading={archive.isPending} onClick={() => archive.mutate(false)}>
              {t("fields.restore")}
            </Button>
            <Confirm
              label={t("fields.remove")}
              sure={t("fields.remove_sure")}
              loading={remove.isPending}
              onConfirm={() => remove.mutate()}
            />
          </div>
        </Block>
      ) : (
        <Block title={t("fields.archive")} text={t("fields.archive_text")}>
          {archive.isError && <FailureLine error={archive.error} />}
          <div className={css.row}>
            <Button
              variant="default"
              loading={archive.isPending}
              onClick={() => archive.mutate(true)}
            >
              {t("fields.archive")}
            </Button>
          </div>
        </Block>
      )}
    </>
  );
}

interface FormProps {
  settings: FieldSettings;
  /** The lowest number that a new option can have. */
  next: number;
  /** The field that is there, when it is not a new one. */
  known?: FieldOfTenant;
  error: unknown;
  pending: boolean;
  save: (settings: FieldSettings, then: { onSuccess: () => void }) => void;
  /** What to do about the error, beside trying again. */
  wayOn?: ReactNode;
  children?: ReactNode;
}

/** What is of one kind alone. */
interface OfKind {
  rules: FieldRules;
  /** What a form begins with, as it stands in its inputs. */
  entry: Entry;
}

/** A form begins with no option that was taken away: its number may be the next one's. */
function among(kind: FieldKind, options: FieldOption[], entry: Entry): Entry {
  if (!CHOICES.includes(kind)) return entry;
  const isThere = (no: string) => options.some((one) => String(one.no) === no);
  const text = isThere(entry.text) ? entry.text : "";
  return { ...entry, text, chosen: entry.chosen.filter(isThere) };
}

const inBoth = (text: string) => ({ nl: text, en: text });

function Form({ settings: begun, next, known, error, pending, save, wayOn, children }: FormProps) {
  const words = useWords();
  const { t } = words;
  const queues = useQuery(allQueuesQuery);
  const first = useRef<HTMLDivElement>(null);
  const [settings, setSettings] = useState(begun);
  const [entry, setEntry] = useState(() => entryOf(begun, begun.default));
  // Who passes by another kind on the way comes back to what they had.
  const [kept, setKept] = useState<Partial<Record<FieldKind, OfKind>>>({});
  const [tried, setTried] = useState(false);
  // What is wrong with options is said by their places then.
  const [sent, setSent] = useState<FieldOption[]>([]);
  const set = (part: Partial<FieldSettings>) => setSettings((before) => ({ ...before, ...part }));
  const { kind, label, help, rules = {}, options = [], sensitivity } = settings;
  const refused = REFUSED.includes(sensitivity);
  const shape = { kind, options };
  const faults = error instanceof ApiError ? error.fields : [];
  const told = (code: string) => words.tOr(`field_error.${code}`, "field_error.invalid");
  // The places that have an input in this look at the form; what is wrong elsewhere is said above the button.
  const places = new Set<string>();
  const wrong = (...paths: string[]) => {
    const here = paths.map((path) => `settings.${path}`);
    for (const place of here) places.add(place);
    const found = faults.find((one) => here.includes(one.field));
    return found && told(found.code);
  };
  const wrongOptions = (): OptionFaults[] =>
    options.map(({ no }) => {
      const place = `options[${sent.findIndex((one) => one.no === no)}]`;
      const within = wrong(`${place}.within`);
      const whole = wrong(`${place}.label`, `${place}.label.nl`, `${place}.no`);
      // Outside of a tree nothing says where one lies.
      return kind === "tree_choice"
        ? { nl: whole, en: wrong(`${place}.label.en`), within }
        : { nl: whole ?? within, en: wrong(`${place}.label.en`) };
    });
  const ambiguous = isAmbiguous(shape, entry);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (ambiguous) return focusIn(first.current);
    const { override, default: _, ...rest } = settings;
    const begins = given(shape, entry);
    const signed =
      refused && override
        ? {
            override: {
              legal_basis: override.legal_basis,
              purpose: override.purpose,
              ends_at: override.ends_at,
            },
          }
        : {};
    setSent(options);
    const body = { ...rest, ...signed, ...(begins === null ? {} : { default: begins }) };
    save(body, { onSuccess: () => setKept({}) });
  };
  const readers = (list: string[]) => {
    const now = AUDIENCES.filter((one) => list.includes(one));
    // Whoever writes it reads it.
    set({ readers: now, writers: settings.writers.filter((one) => now.includes(one)) });
  };
  const writers = (list: string[]) => {
    const now = AUDIENCES.filter((one) => list.includes(one));
    set({
      writers: now,
      readers: AUDIENCES.filter((one) => settings.readers.includes(one) || now.includes(one)),
    });
  };
  const number = (name: "least_length" | "most_length", value: string) => {
    const { [name]: _, ...others } = rules;
    set({ rules: value === "" ? others : { ...others, [name]: Number(value) } });
  };
  const text = (name: "least" | "most" | "pattern", value: string) => {
    const { [name]: _, ...others } = rules;
    set({ rules: value === "" ? others : { ...others, [name]: value } });
  };
  const limit = (name: "least" | "most", value: string) => text(name, value.replace(",", "."));
  const counted = kind === "text" || kind === "long_text" || kind === "multiple_choice";
  const ranged = kind === "integer" || kind === "decimal" || kind === "money";
  const changeKind = (to: FieldKind) => {
    // Rules and what a form begins with are of the kind that they were made for.
    const its = kept[to] ?? { rules: {}, entry: entryOf({ kind: to }, null) };
    setKept({ ...kept, [kind]: { rules, entry } });
    set({ kind: to, rules: its.rules });
    setEntry(among(to, options, its.entry));
  };
  const changeOptions = (now: FieldOption[]) => {
    set({ options: now });
    setEntry(among(kind, now, entry));
  };
  const override = settings.override ?? { legal_basis: "", purpose: "", ends_at: inAYear() };
  const sign = (part: Partial<typeof override>) => set({ override: { ...override, ...part } });
  return (
    <form className={css.page} onSubmit={submit} noValidate>
      <div className={css.form}>
        {children}
        <div className={css.halves}>
          <TextInput
            label={t("fields.label_nl")}
            maxLength={80}
            value={label.nl ?? ""}
            error={wrong("label", "label.nl")}
            onChange={(event) => set({ label: { ...label, nl: event.currentTarget.value } })}
            autoComplete="off"
          />
          <TextInput
            label={t("fields.label_en")}
            maxLength={80}
            value={label.en ?? ""}
            error={wrong("label.en")}
            onChange={(event) => set({ label: { ...label, en: event.currentTarget.value } })}
            autoComplete="off"
          />
        </div>
        <div className={css.halves}>
          <Textarea
            label={t("fields.help_nl")}
            maxLength={500}
            autosize
            minRows={2}
            value={help?.nl ?? ""}
            error={wrong("help", "help.nl")}
            onChange={(event) => set({ help: { ...help, nl: event.currentTarget.value } })}
          />
          <Textarea
            label={t("fields.help_en")}
            maxLength={500}
            autosize
            minRows={2}
            value={help?.en ?? ""}
            error={wrong("help.en")}
            onChange={(event) => set({ help: { ...help, en: event.currentTarget.value } })}
          />
        </div>
        <NativeSelect
          label={t("fields.kind")}
          value={kind}
          error={wrong("kind")}
          onChange={(event) => changeKind(event.currentTarget.value as FieldKind)}
          data={KINDS.map((one) => ({ value: one, label: t(`fields.kind_${one}`) }))}
        />
        {known && kind !== known.settings.kind && <Preview field={known} settings={settings} />}
        {CHOICES.includes(kind) && (
          <FieldOptions
            options={options}
            next={next}
            tree={kind === "tree_choice"}
            fixed={known?.settings.options ?? []}
            error={wrong("options")}
            wrong={wrongOptions()}
            change={changeOptions}
          />
        )}
        {counted && (
          <div className={css.halves}>
            <TextInput
              type="number"
              min={0}
              label={t(kind === "multiple_choice" ? "fields.least_chosen" : "fields.least_length")}
              value={rules.least_length ?? ""}
              error={wrong("rules.least_length")}
              onChange={(event) => number("least_length", event.currentTarget.value)}
            />
            <TextInput
              type="number"
              min={0}
              label={t(kind === "multiple_choice" ? "fields.most_chosen" : "fields.most_length")}
              value={rules.most_length ?? ""}
              error={wrong("rules.most_length")}
              onChange={(event) => number("most_length", event.currentTarget.value)}
            />
          </div>
        )}
        {ranged && (
          <div className={css.halves}>
            <TextInput
              inputMode="decimal"
              label={t("fields.least")}
              value={rules.least ?? ""}
              error={wrong("rules.least")}
              onChange={(event) => limit("least", event.currentTarget.value)}
              autoComplete="off"
            />
            <TextInput
              inputMode="decimal"
              label={t("fields.most")}
              value={rules.most ?? ""}
              error={wrong("rules.most")}
              onChange={(event) => limit("most", event.currentTarget.value)}
              autoComplete="off"
            />
          </div>
        )}
        {(kind === "text" || kind === "long_text") && (
          <TextInput
            label={t("fields.pattern")}
            description={t("fields.pattern_text")}
            maxLength={200}
            value={rules.pattern ?? ""}
            error={wrong("rules.pattern")}
            onChange={(event) => text("pattern", event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
          />
        )}
        <div ref={first}>
          <FieldInput
            field={{
              kind,
              // One without a name yet cannot be told from the others.
              options: options.filter((one) => said(one.label, words.language) !== ""),
              label: inBoth(t("fields.default")),
              help: inBoth(t("fields.default_text")),
              required: false,
            }}
            entry={entry}
            error={tried && ambiguous ? t("fields.ambiguous") : wrong("default")}
            change={setEntry}
          />
        </div>
        <Switch
          label={t("fields.required")}
          description={t("fields.required_text")}
          error={wrong("required")}
          checked={settings.required ?? false}
          onChange={(event) => set({ required: event.currentTarget.checked })}
        />
        <Checkbox.Group
          label={t("fields.queues")}
          description={t("fields.queues_text")}
          value={settings.queue_ids ?? []}
          error={wrong("queue_ids")}
          onChange={(queue_ids) => set({ queue_ids })}
        >
          <div className={css.choices}>
            {(queues.data?.items ?? [])
              .filter((one) => !one.archived || settings.queue_ids?.includes(one.id))
              .map((one) => (
                <Checkbox key={one.id} value={one.id} label={one.name} />
              ))}
          </div>
        </Checkbox.Group>
      </div>
      <Block title={t("fields.who")} text={t("fields.who_text")}>
        <div className={css.halves}>
          <Checkbox.Group
            label={t("fields.readers")}
            value={settings.readers}
            error={wrong("readers")}
            onChange={readers}
          >
            <div className={css.choices}>
              {AUDIENCES.map((one) => (
                <Checkbox key={one} value={one} label={t(`fields.audience_${one}`)} />
              ))}
            </div>
          </Checkbox.Group>
          <Checkbox.Group
            label={t("fields.writers")}
            value={settings.writers}
            error={wrong("writers")}
            onChange={writers}
          >
            <div className={css.choices}>
              {AUDIENCES.map((one) => (
                <Checkbox key={one} value={one} label={t(`fields.audience_${one}`)} />
              ))}
            </div>
          </Checkbox.Group>
        </div>
      </Block>
      <Block title={t("fields.why")} text={t("fields.why_text")}>
        <div className={css.form}>
          <Textarea
            label={t("fields.purpose")}
            required
            withAsterisk={false}
            maxLength={1000}
            autosize
            minRows={2}
            value={settings.purpose}
            error={wrong("purpose")}
            onChange={(event) => set({ purpose: event.currentTarget.value })}
          />
          <NativeSelect
            label={t("fields.sensitivity")}
            value={sensitivity}
            error={wrong("sensitivity", "override")}
            onChange={(event) => set({ sensitivity: event.currentTarget.value as Sensitivity })}
            data={SENSITIVITIES.map((one) => ({
              value: one,
              label: t(`fields.sensitivity_${one}`),
            }))}
          />
          {refused && (
            <>
              <p className={css.notice}>{t("fields.refused_text")}</p>
              <Textarea
                label={t("fields.legal_basis")}
                required
                withAsterisk={false}
                maxLength={1000}
                autosize
                minRows={2}
                value={override.legal_basis}
                error={wrong("override.legal_basis")}
                onChange={(event) => sign({ legal_basis: event.currentTarget.value })}
              />
              <Textarea
                label={t("fields.override_purpose")}
                required
                withAsterisk={false}
                maxLength={1000}
                autosize
                minRows={2}
                value={override.purpose}
                error={wrong("override.purpose")}
                onChange={(event) => sign({ purpose: event.currentTarget.value })}
              />
              <TextInput
                type="date"
                label={t("fields.override_ends")}
                description={t("fields.override_ends_text")}
                value={override.ends_at.slice(0, 10)}
                error={wrong("override.ends_at")}
                onChange={(event) =>
                  event.currentTarget.value &&
                  sign({ ends_at: `${event.currentTarget.value}T00:00:00.000Z` })
                }
              />
            </>
          )}
        </div>
      </Block>
      {error != null && <FailureLine error={error} />}
      <Elsewhere faults={faults.filter((one) => !places.has(one.field))} told={told} />
      <div className={css.row}>
        <Button type="submit" loading={pending}>
          {refused ? t("fields.sign") : t("action.save")}
        </Button>
        {wayOn}
      </div>
    </form>
  );
}

/** What is wrong at a place that has no input. */
function Elsewhere({ faults, told }: { faults: FieldProblem[]; told: (code: string) => string }) {
  if (faults.length === 0) return null;
  return (
    <div className={css.notice} role="alert">
      <ul>
        {faults.map((one) => (
          <li key={`${one.field} ${one.code}`}>
            <code>{one.field}</code>: {told(one.code)}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What another kind would make of what stands in the field; before it is one. */
function Preview({ field, settings }: { field: FieldOfTenant; settings: FieldSettings }) {
  const words = useWords();
  const { t } = words;
  // Not for each letter of a label; as text, which is the same for the same options.
  const [options] = useDebouncedValue(JSON.stringify(settings.options ?? []), 400);
  const look = useQuery({
    queryKey: ["field-preview", field.id, field.version, settings.kind, options] as const,
    queryFn: ({ signal }) =>
      api.fields.preview(field.id, { kind: settings.kind, options: JSON.parse(options) }, signal),
    staleTime: 0,
    gcTime: 0,
  });
  if (look.isPending) return <Skeleton rows={1} />;
  // Who does not read the field is told nothing of what stands in it.
  if (look.isError)
    return look.error instanceof ApiError && look.error.status === 404 ? (
      <p className={css.notice}>{t("fields.preview_hidden")}</p>
    ) : (
      <FailureLine error={look.error} retry={() => void look.refetch()} />
    );
  const { values, looked_at: looked, convert, stay } = look.data;
  return (
    <div className={css.notice} role="status">
      <p>
        {values === 0
          ? t("fields.preview_none")
          : looked < values
            ? t("fields.preview_some", { convert, stay: looked - convert, looked, values })
            : t("fields.preview_all", { convert, stay: looked - convert })}
      </p>
      {stay.length > 0 && (
        <>
          <p>{t("fields.preview_stay")}</p>
          <ul>
            {stay.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
