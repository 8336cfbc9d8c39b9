// SPDX-License-Identifier: EUPL-1.2
//! The conversations of one person. The server finds by words alone, and the words of an address may stand in
//! anybody's mail: "jan", "post" and "example" are in many. So what is somebody else's is left out here.

import type { ContactRef, ConversationRow, SearchPage } from "@belofte/api-client";

export type Person = ContactRef;

type Find = (words: string, cursor: string | undefined, limit: number) => Promise<SearchPage>;

/** So many conversations are shown. */
export const MOST = 50;
/** So many messages come with a page, and so many pages are looked at: somebody with a common name has others' mail between theirs. */
export const PAGE = 100;
export const PAGES = 5;

/** Their conversations, each once, what was said last first. */
export async function casesOf(person: Person, find: Find): Promise<ConversationRow[]> {
  const found = new Map<string, ConversationRow>();
  // The white space says that the last word is whole: "….nl" is not the beginning of another one.
  const words = `${person.address || person.name} `;
  let cursor: string | undefined;
  for (let page = 0; page < PAGES && found.size < MOST; page += 1) {
    const { items, next_cursor } = await find(words, cursor, PAGE);
    for (const { conversation } of items) {
      if (conversation.contact.id === person.id && found.size < MOST) found.set(conversation.id, conversation);
    }
    cursor = next_cursor ?? undefined;
    if (!cursor) break;
  }
  return [...found.values()];
}
