// SPDX-License-Identifier: EUPL-1.2
//! What is written in a composer, and what keeps it.

import { useCallback, useEffect, useState } from "react";
import { type Draft, readDraft, writeDraft } from "./draft";
import { close, open } from "./draft-sync";

/**
 * The draft of `id`, for a composer that stays with it. A change counts at once, and not with the next drawing: a
 * composer that goes before it is drawn again saves what is true, and not what has been sent meanwhile.
 */
export function useDraft(id: string) {
  const [draft, setDraft] = useState<Draft>(() => readDraft(id));
  // Another draft than was typed here is shown from its beginning.
  const [shownAnew, setShownAnew] = useState(0);
  const update = useCallback(
    (make: (old: Draft) => Draft) => {
      const next = make(readDraft(id));
      writeDraft(id, next);
      setDraft(next);
    },
    [id],
  );
  const change = useCallback((part: Partial<Draft>) => update((old) => ({ ...old, ...part })), [update]);
  const anew = useCallback(
    (next: Draft) => {
      update(() => next);
      setShownAnew((count) => count + 1);
    },
    [update],
  );
  // What the server keeps is here: from now on nothing comes over what is added.
  const [opened, setOpened] = useState(false);
  useEffect(() => {
    let here = true;
    const show = (kept: Draft) => {
      setDraft(kept);
      setShownAnew((count) => count + 1);
    };
    void open(id, show).then(() => here && setOpened(true));
    return () => {
      here = false;
      close(id, show);
    };
  }, [id]);
  return { draft, update, change, anew, shownAnew, opened };
}
