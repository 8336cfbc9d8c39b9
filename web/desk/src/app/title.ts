// SPDX-License-Identifier: EUPL-1.2

import { useEffect } from "react";

let named = "";
let count = 0;

function write() {
  const page = named ? `${named} · Belofte` : "Belofte";
  document.title = count > 0 ? `(${count}) ${page}` : page;
}

/** Names the page in the browser's tab by its view; never by a person or a subject. */
export function useTitle(view: string) {
  useEffect(() => {
    named = view;
    write();
    return () => {
      named = "";
      write();
    };
  }, [view]);
}

/** Counts in the browser's tab, and on the icon of an installed desk, what one is told of and has not read. */
export function useCountInTitle(unread: number) {
  useEffect(() => {
    count = unread;
    write();
    // Not every browser has badges, and none needs them.
    if ("setAppBadge" in navigator) void (unread > 0 ? navigator.setAppBadge(unread) : navigator.clearAppBadge()).catch(() => undefined);
    return () => {
      count = 0;
      write();
    };
  }, [unread]);
}
