// SPDX-License-Identifier: EUPL-1.2
//! When a queue is open: the hours of the week, the holidays and the days that are otherwise.

import type { OpenSpan, QueueDetails } from "@belofte/api-client";
import { Button, Checkbox, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { api } from "../app/api";
import { FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords, type Words } from "../i18n";
import { PlusIcon, TrashIcon } from "../ui/icons";
import css from "./business-hours.module.css";
import { begun, type Calendar, calendarOf, holds, keptEnd, MOST_EXCEPTIONS, MOST_SPANS, shownEnd, sound, withDay, withOneMore, ZONE } from "./calendar";
import { Block } from "./page";
import page from "./page.module.css";
import { settle } from "./queue";

/** The name of a day of the week; 0 is Monday. */
function weekday(day: number, { locale }: Words): string {
  // 5 January 1970 was a Monday.
  const at = new Date(Date.UTC(1970, 0, 5 + day));
  return new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(at);
}

/** A date without a time, as people write it. */
function dayOf(date: string, { locale }: Words): string {
  const form = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return form.format(new Date(`${date}T00:00:00Z`));
}

export function BusinessHours({ queue, may }: { queue: QueueDetails; may: boolean }) {
  const words = useWords();
  const { t } = words;
  const [calendar, setCalendar] = useState<Calendar | null>(queue.hours ? calendarOf(queue.hours) : null);
  const save = useMutation({
    mutationFn: () => api.queues.hours(queue.id, { version: queue.version, ...(calendar ? { hours: calendar } : {}) }),
    onSuccess: (saved) => {
      toast(t("did.hours_saved", { queue: saved.name }));
      return settle(saved);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const set = (change: Partial<Calendar>) => setCalendar((now) => (now ? { ...now, ...change } : now));
  return (
    <Block title={t("hours.title")} text={t("hours.text")}>
      <form className={css.form} onSubmit={submit}>
        <Switch
          label={t("hours.some")}
          description={calendar ? t("hours.some_text") : t("hours.always_text")}
          checked={calendar !== null}
          disabled={!may}
          onChange={(event) => setCalendar(event.currentTarget.checked ? begun() : null)}
        />
        {calendar && (
          <fieldset className={css.whole} disabled={!may}>
            <legend className="sr-only">{t("hours.title")}</legend>
            <Zone zone={calendar.zone} set={(zone) => set({ zone })} />
            <Week week={calendar.week} set={(week) => set({ week })} />
            <Holidays queue={queue} calendar={calendar} set={set} />
            <Exceptions calendar={calendar} set={set} />
          </fieldset>
        )}
        {save.isError && <FailureLine error={save.error} />}
        {may && (
          <div className={page.row}>
            <Button type="submit" loading={save.isPending} disabled={calendar !== null && !sound(calendar)}>
              {t("hours.save")}
            </Button>
          </div>
        )}
      </form>
    </Block>
  );
}

function Zone({ zone, set }: { zone: string; set: (zone: string) => void }) {
  const { t } = useWords();
  const all = [...new Set([ZONE, zone, ...Intl.supportedValuesOf("timeZone")])];
  return (
    <div className={css.narrow}>
      <NativeSelect label={t("hours.zone")} value={zone} onChange={(event) => set(event.currentTarget.value)} data={all} />
    </div>
  );
}

/** The times of one day; `name` is that of the day. */
function Times({ name, day, set }: { name: string; day: OpenSpan[]; set: (day: OpenSpan[]) => void }) {
  const { t } = useWords();
  const wrong = useId();
  const bad = !holds(day);
  const change = (at: number, part: Partial<OpenSpan>) => set(day.map((one, place) => (place === at ? { ...one, ...part } : one)));
  return (
    <div className={css.times}>
      {day.length === 0 && <span className={css.closed}>{t("queues.closed")}</span>}
      {day.map((span, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a time has nothing but its place
        <div key={at} className={css.span}>
          <TextInput type="time" aria-label={t("hours.from_named", { day: name, no: at + 1 })} aria-invalid={bad} aria-describedby={bad ? wrong : undefined} value={span.from} onChange={(event) => change(at, { from: event.currentTarget.value })} />
          <span aria-hidden>–</span>
          <TextInput
            type="time"
            aria-label={t("hours.to_named", { day: name, no: at + 1 })}
            aria-invalid={bad}
            aria-describedby={bad ? wrong : undefined}
            value={shownEnd(span.to)}
            onChange={(event) => change(at, { to: keptEnd(event.currentTarget.value) })}
          />
          <Button variant="subtle" className={css.icon} aria-label={t("hours.remove_named", { day: name, no: at + 1 })} onClick={() => set(day.filter((_, place) => place !== at))}>
            <TrashIcon size={15} />
          </Button>
        </div>
      ))}
      {day.length < MOST_SPANS && (
        <Button variant="subtle" className={css.icon} aria-label={t("hours.add_named", { day: name })} onClick={() => set(withOneMore(day))}>
          <PlusIcon size={15} />
        </Button>
      )}
      {bad && (
        <span id={wrong} className={css.wrong} role="alert">
          {t("hours.wrong")}
        </span>
      )}
    </div>
  );
}

function Week({ week, set }: { week: OpenSpan[][]; set: (week: OpenSpan[][]) => void }) {
  const words = useWords();
  return (
    <ul className={css.days}>
      {week.map((day, no) => {
        const name = weekday(no, words);
        return (
          <li key={name} className={css.day}>
            <span className={css.name}>{name}</span>
            <Times name={name} day={day} set={(changed) => set(week.map((one, at) => (at === no ? changed : one)))} />
          </li>
        );
      })}
    </ul>
  );
}

interface PartProps {
  calendar: Calendar;
  set: (change: Partial<Calendar>) => void;
}

function Holidays({ queue, calendar, set }: PartProps & { queue: QueueDetails }) {
  const words = useWords();
  const { t } = words;
  return (
    <fieldset className={css.group}>
      <legend>{t("hours.holidays")}</legend>
      <div className={css.holidays}>
        {queue.holidays.map(({ holiday, date }) => (
          <Checkbox
            key={holiday}
            label={t(`holiday.${holiday}`)}
            description={dayOf(date, words)}
            checked={calendar.holidays.includes(holiday)}
            onChange={(event) => {
              const others = calendar.holidays.filter((one) => one !== holiday);
              set({ holidays: event.currentTarget.checked ? [...others, holiday] : others });
            }}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Exceptions({ calendar, set }: PartProps) {
  const words = useWords();
  const { t } = words;
  const [date, setDate] = useState("");
  const { exceptions } = calendar;
  const full = exceptions.length >= MOST_EXCEPTIONS;
  const add = () => {
    if (!/^20\d\d-/.test(date) || full) return;
    set({ exceptions: withDay(exceptions, date) });
    setDate("");
  };
  return (
    <fieldset className={css.group}>
      <legend>{t("hours.exceptions")}</legend>
      <p className={css.text}>{t("hours.exceptions_text")}</p>
      {exceptions.length > 0 && (
        <ul className={css.days}>
          {exceptions.map((one) => {
            const name = dayOf(one.date, words);
            return (
              <li key={one.date} className={css.day}>
                <span className={css.name}>{name}</span>
                <Times name={name} day={one.hours} set={(hours) => set({ exceptions: exceptions.map((other) => (other.date === one.date ? { ...other, hours } : other)) })} />
                <Button variant="subtle" className={css.icon} aria-label={t("hours.forget_named", { day: name })} onClick={() => set({ exceptions: exceptions.filter((other) => other.date !== one.date) })}>
                  <TrashIcon size={15} />
                </Button>
              </li>
            );
          })}
        </ul>
      )}
      <div className={page.row}>
        <TextInput
          type="date"
          aria-label={t("hours.exception_day")}
          min="2000-01-01"
          max="2099-12-31"
          value={date}
          onChange={(event) => setDate(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            // The form around it would be saved without the day.
            event.preventDefault();
            add();
          }}
        />
        <Button variant="default" disabled={!/^20\d\d-/.test(date) || full} onClick={add}>
          {t("hours.exception_add")}
        </Button>
      </div>
    </fieldset>
  );
}
