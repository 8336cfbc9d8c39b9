// SPDX-License-Identifier: EUPL-1.2
//! People in the made-up API: who they are, and what a filter leaves of them.

import type * as T from "@belofte/api-client";
import * as d from "./data";
import * as own from "./fields";

interface Somebody {
  contact: T.Contact;
  row: T.ContactRow;
}

const days = 60 * 24;

/** Name, addresses, known since and last heard of in days, conversations, and fields by their Dutch name. */
type Line = [string, string[], number, number, number, Record<string, T.FieldValue>];

const address = (street: string, number: string, postal_code: string, city: string, country = "NL"): T.PostalAddress => ({ street, number, postal_code, city, country });

const LINES: Line[] = [
  ["Catharina Wevers", ["c.wevers@postbode.example"], 0.1, 0.1, 1, {}],
  ["Bartholomeus de Graaf", ["bart@degraaf-interieur.example", "administratie@degraaf-interieur.example", "b.degraaf@thuis.example"], 4, 0.6, 3, { Klantnummer: "204877", "Klant sinds": "2026-02-11", Kredietruimte: { amount: "7500", currency: "EUR" }, Voorkeuren: [2, 3], Afleveradres: address("Kanaalstraat", "118", "3531 CM", "Utrecht") }],
  ["Eleanor Ashby", ["eleanor.ashby@kestrel-travel.example"], 9, 1, 2, { Klantnummer: "204862", "Klant sinds": "2025-11-30", Voorkeuren: [3], Afleveradres: address("Harbour Row", "4", "BT1 3LP", "Belfast", "GB") }],
  ["Sjoerd Hoekstra", ["sjoerd@hoekstra.example"], 26, 3, 5, { Klantnummer: "203914", "Klant sinds": "2024-06-03", Kredietruimte: { amount: "250", currency: "EUR" }, Voorkeuren: [1], Afleveradres: address("Grote Kerkstraat", "9", "8911 DZ", "Leeuwarden") }],
  ["", ["inkoop@zilverlinde.example"], 31, 31, 1, {}],
  ["Meike Oudejans", ["meike.oudejans@veldpost.example", "meike@oudejans.example"], 58, 4, 11, { Klantnummer: "201220", "Klant sinds": "2019-04-12", Voorkeuren: [1, 2], Afleveradres: address("Molenweg", "27", "1761 AE", "Anna Paulowna") }],
  ["Theodore Whitlock", ["t.whitlock@larkfield.example"], 77, 12, 2, { Klantnummer: "203355", "Klant sinds": "2023-09-19", Kredietruimte: { amount: "1200", currency: "GBP" }, Voorkeuren: [3] }],
  ["Noor van Lieshout", ["noor@vanlieshout.example"], 102, 8, 4, { Klantnummer: "202741", "Klant sinds": "2022-01-08", Voorkeuren: [1], Afleveradres: address("Stationsplein", "1-c", "5611 AB", "Eindhoven") }],
  ["Restaurant De Vergulde Pollepel, afdeling inkoop en logistiek", ["inkoop@verguldepollepel.example"], 140, 20, 17, { Klantnummer: "200118", "Klant sinds": "2016-10-24", Kredietruimte: { amount: "25000", currency: "EUR" }, Voorkeuren: [2, 3], Afleveradres: address("Oude Haven", "61", "4301 JK", "Zierikzee") }],
  ["Imran Siddiqui", ["imran.siddiqui@northgate.example"], 166, 55, 1, { Klantnummer: "202098", "Klant sinds": "2021-05-14" }],
  ["Lotte Bruinsma", ["lotte.bruinsma@klaver.example"], 201, 90, 3, { Klantnummer: "201877", "Klant sinds": "2020-12-01", Voorkeuren: [1, 2, 3], Afleveradres: address("Zonnebloemstraat", "40", "9741 XA", "Groningen") }],
  ["Aoife Gallagher", ["aoife@gallagher-crafts.example"], 233, 120, 2, { Klantnummer: "201504", "Klant sinds": "2020-02-29", Voorkeuren: [3] }],
  ["Willem-Jan Terpstra", ["wj.terpstra@buitenlust.example"], 310, 260, 6, { Klantnummer: "200933", "Klant sinds": "2018-07-07", Kredietruimte: { amount: "500", currency: "EUR" }, Afleveradres: address("Dijkweg", "3", "8308 PA", "Nagele") }],
  ["Priya Raman", ["priya.raman@saffronline.example"], 402, 12, 9, { Klantnummer: "200511", "Klant sinds": "2017-03-21", Voorkeuren: [2] }],
];

const everybody: Somebody[] = LINES.map(([name, addresses, since, last, conversations, values]) => {
  const id = d.uuid();
  return {
    contact: {
      id,
      name,
      identities: addresses.map((value, at) => ({ id: d.uuid(), kind: "email" as const, value, verified: at === 0 && conversations > 2 })),
      created_at: d.ago(since * days),
      conversation_count: conversations,
    },
    row: {
      id,
      name,
      addresses,
      created_at: d.ago(since * days),
      conversation_count: conversations,
      last_message_at: d.ago(last * days),
      fields: Object.entries(values).map(([field, value]) => ({ field_id: own.idOf(field), value })),
    },
  };
});

const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** What a condition or an order looks at, as text or a number; nothing where there is none. */
function looked(row: T.ContactRow, { subject, field_id }: { subject: T.Subject; field_id?: string | null }): (string | number)[] {
  if (subject === "name") return row.name ? [fold(row.name)] : [];
  if (subject === "address") return row.addresses.map(fold);
  if (subject === "created_at") return [row.created_at];
  const value = row.fields.find((one) => one.field_id === field_id)?.value;
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  if (typeof value === "object") return "amount" in value ? [Number(value.amount)] : [fold(Object.values(value).join(" "))];
  return [typeof value === "number" ? value : fold(String(value))];
}

function holds(row: T.ContactRow, condition: T.Condition): boolean {
  const found = looked(row, condition);
  const { value } = condition;
  const amount = typeof value === "object" && value !== null && "amount" in value ? Number(value.amount) : value;
  const wanted = typeof amount === "number" ? amount : fold(String(amount));
  switch (condition.test) {
    case "filled":
      return found.length > 0;
    case "empty":
      return found.length === 0;
    case "is":
      return found.includes(wanted);
    case "is_not":
      return !found.includes(wanted);
    case "contains":
      return found.some((one) => String(one).includes(String(wanted)));
    case "begins_with":
      return found.some((one) => String(one).startsWith(String(wanted)));
    case "at_least":
      return found.some((one) => one >= wanted);
    case "at_most":
      return found.some((one) => one <= wanted);
    case "any_of":
      return Array.isArray(value) && found.some((one) => value.includes(Number(one)));
  }
}

export function find(body: T.FindContacts): T.ContactPage {
  const words = fold(body.q ?? "").split(/\s+/).filter(Boolean);
  const conditions = body.conditions ?? [];
  const found = everybody
    .map(({ row }) => row)
    .filter((row) => words.every((word) => fold(`${row.name} ${row.addresses.join(" ")}`).includes(word)))
    .filter((row) => {
      if (conditions.length === 0) return true;
      const all = conditions.map((one) => holds(row, one));
      return body.any ? all.includes(true) : !all.includes(false);
    });
  const order = body.order ?? { by: "created_at" as const, descending: true };
  const by = { subject: order.by, field_id: order.field_id ?? null };
  found.sort((a, b) => {
    const [one, other] = [looked(a, by)[0], looked(b, by)[0]];
    if (one === undefined || other === undefined) return one === other ? 0 : one === undefined ? 1 : -1;
    return (one < other ? -1 : one > other ? 1 : 0) * (order.descending ? -1 : 1);
  });
  const columns = body.field_ids ?? [];
  return {
    items: found.map((row) => ({ ...row, fields: row.fields.filter((one) => columns.includes(one.field_id)) })),
    total: found.length,
    looked_at: everybody.length,
  };
}

/** Somebody new, or what is wrong. */
export function add({ name = "", addresses = [], values = [] }: T.CreateContact): T.Contact | T.FieldProblem[] {
  const wrong: T.FieldProblem[] = [];
  if (!name && addresses.length === 0) wrong.push({ field: "name", code: "required" });
  for (const [at, one] of addresses.entries()) {
    if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(one)) wrong.push({ field: `addresses[${at}]`, code: "invalid" });
    else if (addresses.findIndex((other) => fold(other) === fold(one)) < at) wrong.push({ field: `addresses[${at}]`, code: "taken" });
  }
  const known = own.ofRecord("contact", {}).items;
  for (const [at, { field_id, value }] of values.entries()) {
    const pattern = known.find((one) => one.field_id === field_id)?.rules.pattern;
    if (pattern && typeof value === "string" && !new RegExp(`^(?:${pattern})$`).test(value)) wrong.push({ field: `values[${at}].value`, code: "invalid" });
  }
  if (wrong.length > 0) return wrong;
  if (everybody.some(({ row }) => row.addresses.some((one) => addresses.map(fold).includes(fold(one))))) return [{ field: "addresses", code: "taken" }];
  const [id, created_at] = [d.uuid(), d.iso(Date.now())];
  const identities = addresses.map((value) => ({ id: d.uuid(), kind: "email" as const, value, verified: false }));
  const contact: T.Contact = { id, name, identities, created_at, conversation_count: 0 };
  everybody.unshift({ contact, row: { id, name, addresses, created_at, conversation_count: 0, fields: values } });
  return contact;
}

export const get = (id: string): T.Contact | undefined => everybody.find((one) => one.contact.id === id)?.contact ?? d.contacts.get(id);

/** Their row goes by the new name as well. */
export function rename(id: string, name: string) {
  const somebody = everybody.find((one) => one.contact.id === id);
  if (!somebody) return;
  somebody.contact.name = name;
  somebody.row.name = name;
}

/** Those of the stories are theirs; others get some that anybody could have. */
export function conversations(id: string): T.ConversationRow[] {
  const rows = [...d.cases.values()].map((one) => one.row);
  const theirs = rows.filter((row) => row.contact.id === id);
  const at = everybody.findIndex((one) => one.contact.id === id);
  const count = everybody[at]?.contact.conversation_count ?? 0;
  return theirs.length > 0 ? theirs : rows.slice(12 + at, 12 + at + count);
}

export function valuesOf(id: string): Record<string, T.FieldValue> | undefined {
  const row = everybody.find((one) => one.contact.id === id)?.row;
  return row && Object.fromEntries(row.fields.map((one) => [one.field_id, one.value]));
}
