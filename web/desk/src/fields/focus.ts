// SPDX-License-Identifier: EUPL-1.2
//! Where the keyboard goes on.

/** Whether the focus is nowhere: what had it has gone. */
export const isFocusLost = () =>
  document.activeElement === null || document.activeElement === document.body;

/** Focuses the first input within `place`. */
export function focusIn(place: Element | null | undefined) {
  const inputs = 'input:not([type="hidden"]), select, textarea';
  place?.querySelector<HTMLElement>(inputs)?.focus();
}
