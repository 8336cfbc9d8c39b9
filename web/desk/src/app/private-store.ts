// SPDX-License-Identifier: EUPL-1.2
//! What people type but have not sent: drafts and the words of a search. It
//! holds personal data, so it lives in this tab only (sessionStorage) and ends
//! at sign-out. Nothing of it ever stands in an address.

const PREFIX = "belofte.private.";

export function keep(name: string, value: string | null) {
  try {
    if (value === null || value === "") sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, value);
  } catch {
    // A full or closed storage costs the draft its survival of a reload, no more.
  }
}

export function kept(name: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function clearPrivate() {
  try {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
    }
  } catch {
    // Nothing could be kept either.
  }
}
