// SPDX-License-Identifier: EUPL-1.2
//! The keys of the desk, pressed while the focus lies in the frame of a mail. A frame has a document of its
//! own, and no key of it ever reaches the one around it by itself.

import { callOff } from "../app/hold";

/**
 * Hands each key that is pressed inside a frame to the desk, as one pressed on the frame itself: whether it
 * means something is decided there alone. What means nothing there is left to the mail: it is scrolled,
 * walked through and copied from as before.
 *
 * These listeners are the desk's own. They run although nothing of the mail may, but not in Safari, which
 * takes the sandbox for theirs as well (WebKit bug 218086); there a key works again after a click outside.
 */
export function handKeys(inside: Document, frame: HTMLIFrameElement, signal: AbortSignal) {
  inside.addEventListener(
    "keydown",
    (event) => {
      // Only what somebody pressed.
      if (!event.isTrusted) return;
      const { key, code, location, ctrlKey, metaKey, altKey, shiftKey, repeat, isComposing } = event;
      const same = { key, code, location, ctrlKey, metaKey, altKey, shiftKey, repeat, isComposing };
      const left = frame.dispatchEvent(new KeyboardEvent("keydown", { ...same, bubbles: true, cancelable: true, composed: true }));
      if (!left) event.preventDefault();
    },
    { signal },
  );
  // A click calls off what was going to be typed, wherever it is.
  inside.addEventListener("pointerdown", () => callOff(), { signal });
}
