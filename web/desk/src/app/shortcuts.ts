// SPDX-License-Identifier: EUPL-1.2
//! Single letters, off while somebody types and for those who switched them off.

import { useEffect, useRef } from "react";

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  // A box that is ticked takes no letters.
  if (target instanceof HTMLInputElement && /^(checkbox|radio)$/.test(target.type)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/**
 * Whether something that floats is open: a dialog or menu has its own keys. One that is fading
 * away has none any more, so what it was opened with is asked, not what is still painted.
 */
function somethingOpen(): boolean {
  return document.querySelector('[aria-modal="true"],[aria-haspopup][aria-expanded="true"]') !== null;
}

export function useShortcuts(map: Shortcuts, enabled: boolean) {
  const latest = useRef(map);
  latest.current = map;
  useEffect(() => {
    if (!enabled) return;
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || somethingOpen()) return;
      const run = latest.current[event.key];
      if (!run) return;
      event.preventDefault();
      run(event);
    };
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, [enabled]);
}
