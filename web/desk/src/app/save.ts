// SPDX-License-Identifier: EUPL-1.2
//! Hands what came over the wire to the browser, to be saved as a file.

/** So long the browser may take to begin, in milliseconds. */
const BEGINS_MS = 10_000;

export function save(blob: Blob, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), BEGINS_MS);
}
