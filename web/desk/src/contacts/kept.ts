// SPDX-License-Identifier: EUPL-1.2
//! What the list of people is asked for, between two looks at it. The words and values of a filter are personal: they live
//! in this tab alone. Columns and order are ids, and stay on the device.

import type { Order, Uuid } from "@belofte/api-client";
import { keep, kept } from "../app/private-store";
import { type Draft, MOST_CONDITIONS } from "./conditions";

export interface Question {
  q: string;
  any: boolean;
  drafts: Draft[];
}

export interface Look {
  columns: Uuid[];
  /** Null for the order of arrival, the newest first. */
  order: Order | null;
}

export const MOST_COLUMNS = 20;

const QUESTION = "contacts";
const LOOK = "belofte.contacts";

function parsed(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // What an older desk kept in another form is let go of.
    return {};
  }
}

const isDraft = (value: unknown): value is Draft => {
  const one = value as Partial<Draft> | null;
  return typeof one?.key === "string" && typeof one.about === "string" && typeof one.test === "string" && Array.isArray(one.entry?.chosen);
};

export function keptQuestion(): Question {
  const { q, any, drafts } = parsed(kept(QUESTION));
  return {
    q: typeof q === "string" ? q : "",
    any: any === true,
    drafts: Array.isArray(drafts) ? drafts.filter(isDraft).slice(0, MOST_CONDITIONS) : [],
  };
}

export function keepQuestion(question: Question) {
  const nothing = question.q === "" && question.drafts.length === 0;
  keep(QUESTION, nothing ? null : JSON.stringify(question));
}

const ID = /^[0-9a-f-]{36}$/;
const isId = (value: unknown): value is Uuid => typeof value === "string" && ID.test(value);

function orderOf(value: unknown): Order | null {
  const { by, field_id: field, descending } = (value ?? {}) as Record<string, unknown>;
  if (by === "field") return isId(field) ? { by, field_id: field, descending: descending === true } : null;
  if (by !== "name" && by !== "address" && by !== "created_at") return null;
  return by === "created_at" && descending === true ? null : { by, descending: descending === true };
}

export function keptLook(): Look {
  const { columns, order } = parsed(localStorage.getItem(LOOK));
  return { columns: Array.isArray(columns) ? columns.filter(isId).slice(0, MOST_COLUMNS) : [], order: orderOf(order) };
}

export const keepLook = (look: Look) => localStorage.setItem(LOOK, JSON.stringify(look));
