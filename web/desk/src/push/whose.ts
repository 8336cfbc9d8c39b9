// SPDX-License-Identifier: EUPL-1.2
//! Whose notifications this browser shows: an id, and nothing else of anybody. Small, since every start asks for it.

const WHOSE = "belofte.push";

export function whose(): string | null {
  try {
    return localStorage.getItem(WHOSE);
  } catch {
    return null;
  }
}

export function keepWhose(user: string | null) {
  try {
    if (user) localStorage.setItem(WHOSE, user);
    else localStorage.removeItem(WHOSE);
  } catch {
    // Without storage it has to be turned on again after each sign-in.
  }
}
