// SPDX-License-Identifier: EUPL-1.2
//! The tenant's own fields in the made-up API.

import type * as T from "@belofte/api-client";
import * as d from "./data";

const everybody: T.Audience[] = ["agent", "supervisor", "admin"];

function field(record: T.RecordKind, nl: string, en: string, kind: T.FieldKind, more: Partial<T.FieldSettings> = {}, state: Partial<T.Field> = {}): T.Field {
  return {
    id: d.uuid(),
    record,
    archived: false,
    lapsed: false,
    next_option: 10,
    version: 1,
    settings: {
      kind,
      label: { nl, en },
      help: { nl: "", en: "" },
      purpose: "Bestellingen terugvinden en nabestellen",
      sensitivity: "ordinary",
      options: [],
      rules: {},
      required: false,
      queue_ids: [],
      readers: everybody,
      writers: everybody,
      ...more,
    },
    ...state,
  };
}

const option = (no: number, nl: string, en: string, within?: number): T.FieldOption => ({ no, label: { nl, en }, archived: false, ...(within ? { within } : {}) });

const all: T.Field[] = [
  field("contact", "Klantnummer", "Customer number", "text", { required: true, rules: { pattern: "[0-9]{6}" }, help: { nl: "Staat rechtsboven op de factuur", en: "At the top right of the invoice" } }),
  field("contact", "Klant sinds", "Customer since", "date"),
  field("contact", "Kredietruimte", "Credit limit", "money", { sensitivity: "sensitive", readers: ["supervisor", "admin"], writers: ["admin"] }),
  field("contact", "Voorkeuren", "Preferences", "multiple_choice", { default: [1], options: [option(1, "Nieuwsbrief", "Newsletter"), option(2, "Telefonisch bereikbaar", "May be called"), option(3, "Zakelijk", "Business")] }),
  field("contact", "Afleveradres", "Delivery address", "postal_address"),
  field(
    "contact",
    "BSN",
    "National number",
    "text",
    {
      sensitivity: "national_identifier",
      override: { legal_basis: "Artikel 46 UAVG", purpose: "Jaaropgave van statiegeld voor zakelijke klanten", ends_at: "2027-09-01T00:00:00Z", signed_at: "2026-09-01T09:12:00Z" },
    },
  ),
  field("conversation", "Onderdeel", "Part", "tree_choice", {
    options: [option(1, "Fietsen", "Bicycles"), option(2, "Stadsfiets", "City bike", 1), option(3, "Racefiets", "Racing bike", 1), option(4, "Kleding", "Clothing")],
    queue_ids: [d.queues[0]?.id ?? ""],
  }),
  field("conversation", "Ordernummer", "Order number", "integer"),
  field("contact", "Faxnummer", "Fax number", "phone", {}, { archived: true }),
];

const filled: Record<string, T.FieldValue> = {
  Klantnummer: "204518",
  "Klant sinds": "2019-04-12",
  Kredietruimte: { amount: "1500", currency: "EUR" },
  Voorkeuren: [1, 3],
  Afleveradres: { street: "Lange Haven", number: "12-b", postal_code: "3111 CA", city: "Schiedam", country: "NL" },
  Onderdeel: 2,
};

export const list = (): T.FieldList => ({ items: all });
export const preview: T.KindPreview = { values: 4_218, looked_at: 4_218, convert: 4_216, stay: ["zie factuur", "onbekend"] };

/** The id of a field by its Dutch name. */
export const idOf = (name: string): string => all.find((one) => one.settings.label.nl === name)?.id ?? "";

/** `values` are those of one record by field; without them it is one that has something everywhere. */
export const ofRecord = (record: T.RecordKind, values?: Record<string, T.FieldValue>): T.RecordFieldList => ({
  items: all
    .filter((one) => one.record === record && !one.archived)
    .map(({ id, settings, version }) => {
      const value = values ? values[id] : filled[settings.label.nl ?? ""];
      return {
        field_id: id,
        field_version: version,
        kind: settings.kind,
        label: settings.label,
        help: settings.help ?? {},
        options: settings.options ?? [],
        rules: settings.rules ?? {},
        required: settings.required ?? false,
        queue_ids: settings.queue_ids ?? [],
        writable: true,
        version: value === undefined ? 0 : 4,
        default: settings.default ?? null,
        ...(value === undefined ? {} : { value }),
        ...(settings.label.nl === "Klant sinds" && !values ? { was: "voorjaar 2019", value: undefined } : {}),
      } as T.RecordField;
    }),
});
