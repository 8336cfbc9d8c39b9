// SPDX-License-Identifier: EUPL-1.2
//! Values of the tenant's own fields: how they are shown, and what stands in a form while somebody edits them.

import type {
  FieldOption,
  FieldValue,
  Money,
  OwnWords,
  PostalAddress,
  RecordField,
} from "@belofte/api-client";
import type { Words } from "../i18n";

/** What stands in the inputs of one field. Text for most, also for a choice: the number of the option. */
export interface Entry {
  text: string;
  /** The options of a multiple choice, by their numbers. */
  chosen: string[];
  money: Money;
  address: PostalAddress;
}

type Shape = Pick<RecordField, "kind" | "options">;

const NOWHERE: Required<PostalAddress> = {
  street: "",
  number: "",
  postal_code: "",
  city: "",
  country: "",
};

/** The words of the reader's language, or the other ones where there are none. */
export function said(words: OwnWords, language: "nl" | "en"): string {
  const { nl = "", en = "" } = words;
  return (language === "nl" ? nl || en : en || nl) || "";
}

/** An option with those that it lies within, outermost first. */
export function pathOf(options: FieldOption[], no: number): FieldOption[] {
  const path: FieldOption[] = [];
  let at = options.find((one) => one.no === no);
  while (at && path.length < options.length) {
    path.unshift(at);
    const within = at.within;
    at = within == null ? undefined : options.find((one) => one.no === within);
  }
  return path;
}

/** The options in the order in which a tree is read: each with what lies within it. */
export function asTree(options: FieldOption[]): { option: FieldOption; depth: number }[] {
  const rows: { option: FieldOption; depth: number }[] = [];
  const walk = (within: number | null, depth: number) => {
    // No deeper than there are options: a circle is never drawn.
    if (depth > options.length) return;
    for (const option of options) {
      if ((option.within ?? null) !== within) continue;
      rows.push({ option, depth });
      walk(option.no, depth + 1);
    }
  };
  walk(null, 0);
  return rows;
}

const two = (value: number) => String(value).padStart(2, "0");

/** An instant as `datetime-local` has it, in the zone of this device. */
function local(time: string): string {
  const at = new Date(time);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

const isMoney = (value: FieldValue): value is Money =>
  typeof value === "object" && !Array.isArray(value) && "amount" in value;
const isAddress = (value: FieldValue): value is PostalAddress =>
  typeof value === "object" && !Array.isArray(value) && !("amount" in value);

export function entryOf(field: Pick<Shape, "kind">, value: FieldValue | null | undefined): Entry {
  const entry: Entry = {
    text: "",
    chosen: [],
    money: { amount: "", currency: "EUR" },
    address: { ...NOWHERE },
  };
  if (value == null) return entry;
  if (typeof value === "boolean") return { ...entry, text: value ? "yes" : "no" };
  if (typeof value === "number") return { ...entry, text: String(value) };
  if (typeof value === "string") {
    if (field.kind === "date_time") return { ...entry, text: local(value) };
    return { ...entry, text: field.kind === "decimal" ? clear(value) : value };
  }
  if (Array.isArray(value)) return { ...entry, chosen: value.map(String) };
  if (isMoney(value)) return { ...entry, money: { ...value, amount: clear(value.amount) } };
  return { ...entry, address: { ...NOWHERE, ...value } };
}

const bare = (text: string) => text.replace(/\s/g, "");

/** Whether the separator can be of thousands as well as before the fraction: 1.250 is not the same to everybody. */
const twoWays = (text: string) => /^-?[1-9]\d{0,2}[.,]\d{3}$/.test(bare(text));

/** A number that is kept, with a digit more where what stands in the input could be read in two ways. */
const clear = (number: string) => (twoWays(number) ? `${number}0` : number);

/** Whether what stands in the inputs can be read in two ways; nobody but the writer knows which. */
export function isAmbiguous(field: Pick<Shape, "kind">, entry: Entry): boolean {
  if (field.kind === "decimal") return twoWays(entry.text);
  return field.kind === "money" && twoWays(entry.money.amount);
}

/** A number as it is written here or there: where both a comma and a point stand, the last one is before the fraction. */
function plain(text: string): string {
  const number = bare(text);
  // With a comma the server refuses it; with a point it would take it for a fraction.
  if (twoWays(number)) return number.replace(".", ",");
  if (/^-?\d{1,3}(\.\d{3})+,\d*$/.test(number)) return number.replaceAll(".", "").replace(",", ".");
  if (/^-?\d{1,3}(,\d{3})+\.\d*$/.test(number)) return number.replaceAll(",", "");
  return number.replace(/^([^.,]*),([^.,]*)$/, "$1.$2");
}

/** What goes over the wire; null for an empty field. What is wrong in it, the server says. */
export function given(field: Shape, entry: Entry): FieldValue | null {
  const text = entry.text.trim();
  switch (field.kind) {
    case "boolean":
      return text === "" ? null : text === "yes";
    case "choice":
    case "tree_choice":
      return text === "" ? null : Number(text);
    case "multiple_choice":
      return entry.chosen.length === 0 ? null : entry.chosen.map(Number);
    case "integer":
      // What is no whole number is told as text, and refused with a word.
      return text === "" ? null : /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case "decimal":
      return text === "" ? null : plain(text);
    case "money":
      return entry.money.amount.trim() === ""
        ? null
        : {
            amount: plain(entry.money.amount),
            currency: entry.money.currency.trim().toUpperCase(),
          };
    case "postal_address": {
      const address = Object.fromEntries(
        Object.entries(entry.address).map(([part, value]) => [part, (value ?? "").trim()]),
      );
      return Object.values(address).every((part) => part === "")
        ? null
        : { ...address, country: (address.country ?? "").toUpperCase() };
    }
    case "date_time": {
      const at = new Date(text);
      return text === "" ? null : Number.isNaN(at.getTime()) ? text : at.toISOString();
    }
    default:
      return text === "" ? null : text;
  }
}

/** What a value says, in one line or in a few. */
export function shown(field: Shape, value: FieldValue, words: Words): string {
  const option = (no: number) =>
    pathOf(field.options, no)
      .map((one) => said(one.label, words.language))
      .join(" › ") || String(no);
  if (typeof value === "boolean") return words.t(value ? "fields.yes" : "fields.no");
  if (Array.isArray(value)) return value.map(option).join(", ");
  if (typeof value === "number")
    return field.kind === "integer" ? words.number(value) : option(value);
  if (isMoney(value)) return money(value, words);
  if (isAddress(value)) return addressLines(value).join("\n");
  if (field.kind === "date") return day(value, words);
  if (field.kind === "date_time") return words.fullTime(value);
  if (field.kind === "decimal") return decimal(value, words);
  return value;
}

/** A day of the calendar, which is the same in every zone. */
function day(text: string, words: Words): string {
  const at = new Date(`${text}T12:00:00Z`);
  if (Number.isNaN(at.getTime())) return text;
  return new Intl.DateTimeFormat(words.locale, {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  }).format(at);
}

/** Whether it is a number as the server writes it; what was typed may be none. */
const isNumber = (text: string) => /^-?\d+(\.\d+)?$/.test(text);

/** Twelve digits before the point and six behind it: more than a number of JavaScript holds exactly. */
function decimal(text: string, words: Words): string {
  if (!isNumber(text)) return text;
  const [whole = "", fraction] = text.split(".");
  const parts = new Intl.NumberFormat(words.locale).formatToParts(1.5);
  const point = parts.find((part) => part.type === "decimal")?.value ?? ",";
  const grouped = new Intl.NumberFormat(words.locale).format(BigInt(whole.replace("-", "")));
  return `${text.startsWith("-") ? "−" : ""}${grouped}${fraction ? point + fraction : ""}`;
}

function money({ amount, currency }: Money, words: Words): string {
  const [whole, fraction = ""] = amount.split(".");
  const cents = fraction.length <= 2 ? fraction.padEnd(2, "0") : fraction;
  return `${currency}\u00a0${isNumber(amount) ? decimal(`${whole}.${cents}`, words) : amount}`;
}

export function addressLines(address: PostalAddress): string[] {
  const { street = "", number = "", postal_code = "", city = "", country = "" } = address;
  const lines = [`${street} ${number}`, `${postal_code} ${city}`, country].map((line) =>
    line.trim(),
  );
  return lines.filter((line) => line !== "");
}
