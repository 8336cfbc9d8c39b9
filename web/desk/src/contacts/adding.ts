// SPDX-License-Identifier: EUPL-1.2
//! Somebody who is being added: whether the form is open, what stands in it until it is sent, and what goes over the wire.
//! It is personal, and lives in this tab alone.

import type { CreateContact, FieldProblem } from "@belofte/api-client";
import { useSyncExternalStore } from "react";
import { callOff, expect } from "../app/hold";
import { keep, kept } from "../app/private-store";
import { changesOf, type Form } from "../fields/form";
import type { Entry } from "../fields/value";

export const MOST_ADDRESSES = 10;

/** An input of an address; the key tells it from the others while one is taken away. */
export interface AddressInput {
  key: string;
  text: string;
}

let made = 0;

export function addressInput(text = ""): AddressInput {
  made += 1;
  return { key: `address-${made}`, text };
}

let open = false;
const listeners = new Set<() => void>();

function set(next: boolean) {
  if (open === next) return;
  open = next;
  for (const listener of listeners) listener();
}

/** Opens the form on the page of contacts; what is typed from here on is the name. */
export function addContact() {
  expect("new contact");
  set(true);
}

export function closeAdding() {
  callOff("new contact");
  set(false);
}

export const useAdding = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open,
  );

/** What was sent last, and under which key: sent again after a lost answer it makes nobody twice. */
export interface Attempt {
  print: string;
  key: string;
}

/** What was typed, as it outlives the form. */
export interface Typed {
  name: string;
  addresses: string[];
  entries: Record<string, Entry>;
  attempt: Attempt | null;
}

const PLACE = "new-contact";

const isEntry = (value: unknown): value is Entry => {
  const one = value as Partial<Entry> | null;
  return typeof one?.text === "string" && Array.isArray(one.chosen) && typeof one.money === "object" && typeof one.address === "object";
};

/** What was left without being sent; null where there is nothing. */
export function keptTyped(): Typed | null {
  try {
    const { name, addresses, entries, attempt } = JSON.parse(kept(PLACE) ?? "null") as Record<keyof Typed, unknown>;
    const { print, key } = (attempt ?? {}) as Partial<Attempt>;
    return {
      name: typeof name === "string" ? name : "",
      addresses: Array.isArray(addresses) ? addresses.filter((one) => typeof one === "string").slice(0, MOST_ADDRESSES) : [],
      entries: Object.fromEntries(Object.entries(entries ?? {}).filter(([, one]) => isEntry(one))),
      attempt: typeof print === "string" && typeof key === "string" ? { print, key } : null,
    };
  } catch {
    // Nothing, or what an older desk kept in another form.
    return null;
  }
}

export function keepTyped(typed: Typed | null) {
  const nothing = !typed || (typed.name === "" && typed.addresses.every((one) => one === "") && Object.keys(typed.entries).length === 0);
  keep(PLACE, nothing ? null : JSON.stringify(typed));
}

export interface Sent {
  body: Required<CreateContact>;
  /** The keys of the inputs whose addresses are sent, in their order: the server names an address by its place. */
  keys: string[];
}

export function sentOf(name: string, inputs: readonly AddressInput[], form: Form): Sent {
  const filled = inputs.filter((one) => one.text.trim() !== "");
  return {
    body: {
      name: name.trim(),
      addresses: filled.map((one) => one.text.trim()),
      values: changesOf(form).flatMap(({ field_id, value }) => (value == null ? [] : [{ field_id, value }])),
    },
    keys: filled.map((one) => one.key),
  };
}

/** The tries of one form have one key, as long as they say the same: under another one it would be somebody else. */
export function attemptOf(before: Attempt | null, body: CreateContact, newKey: () => string): Attempt {
  const print = JSON.stringify(body);
  return before?.print === print ? before : { print, key: newKey() };
}

/** What the server does not take, each at its input. */
export interface Faults {
  name: string | null;
  /** The codes of addresses by the keys of their inputs. */
  addresses: ReadonlyMap<string, string>;
  /** Somebody has one of these; which of them is not said. */
  taken: readonly string[];
  /** The codes of values by the ids of their fields. */
  fields: ReadonlyMap<string, string>;
  /** Whether a field is not there any more, or is not written by this user. */
  gone: boolean;
  /** Whether something is wrong that stands at no input. */
  other: boolean;
}

export function faultsOf(problems: readonly FieldProblem[], { body, keys }: Sent): Faults {
  const addresses = new Map<string, string>();
  const fields = new Map<string, string>();
  const faults = { name: null as string | null, taken: [] as string[], gone: false, other: problems.length === 0 };
  for (const { field, code } of problems) {
    const [, list, at, part] = /^(addresses|values)\[(\d+)\](?:\.(\w+))?/.exec(field) ?? [];
    const key = list === "addresses" ? keys[Number(at)] : undefined;
    const value = list === "values" ? body.values[Number(at)] : undefined;
    if (field === "name") faults.name = code;
    else if (field === "addresses" && code === "taken") faults.taken = body.addresses;
    else if (key) addresses.set(key, code);
    else if (value && part === "field_id") faults.gone = true;
    else if (value) fields.set(value.field_id, code);
    else faults.other = true;
  }
  return { ...faults, addresses, fields };
}
