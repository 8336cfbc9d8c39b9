// SPDX-License-Identifier: EUPL-1.2

import { useEffect } from "react";

/** Names the page in the browser's tab by its view; never by a person or a subject. */
export function useTitle(view: string) {
  useEffect(() => {
    document.title = `${view} · Belofte`;
    return () => {
      document.title = "Belofte";
    };
  }, [view]);
}
