// SPDX-License-Identifier: EUPL-1.2
//! Drafts of the made-up API.

import type * as T from "@belofte/api-client";
import * as d from "./data";

const kept = new Map<string, T.Draft>();

const attachments = (ids: readonly string[]): T.Attachment[] =>
  ids.flatMap((id) => {
    const file = d.files.get(id);
    return file ? [{ id, name: file.name, media_type: file.type, size_bytes: file.bytes.length, inline: false }] : [];
  });

export function save(place: string, kind: T.Draft["kind"], body: Record<string, unknown>): { status: number; saved: T.SavedDraft } {
  const key = `${place} ${kind}`;
  const { version, content } = body as { version: number; content?: T.DraftContent | null };
  const there = kept.get(key);
  if ((there?.version ?? 0) !== version && JSON.stringify(there?.content) !== JSON.stringify(content)) return { status: 409, saved: { version: 0 } };
  if (!content) {
    kept.delete(key);
    return { status: 200, saved: { version: 0 } };
  }
  const saved_at = new Date().toISOString();
  const next = (there?.version ?? 0) + 1;
  kept.set(key, {
    kind,
    version: next,
    saved_at,
    content,
    attachments: attachments(content.attachment_ids ?? []),
    copied_attachments: [],
  });
  return { status: 200, saved: { version: next, saved_at } };
}

export function sent(place: string, kind: T.Draft["kind"], version: unknown) {
  const key = `${place} ${kind}`;
  if (kept.get(key)?.version === version) kept.delete(key);
}

export const of = (place: string): T.Draft[] => [...kept].filter(([key]) => key.startsWith(`${place} `)).map(([, draft]) => draft);

export function all(): T.DraftRow[] {
  return [...kept]
    .map(([key, { kind, version, saved_at, content }]) => {
      const row = d.cases.get(key.split(" ")[0] ?? "")?.row;
      return { kind, version, saved_at, subject: content.subject ?? "", preview: (content.text ?? "").slice(0, 140), ...(row ? { conversation: row } : {}) };
    })
    .sort((a, b) => b.saved_at.localeCompare(a.saved_at));
}
