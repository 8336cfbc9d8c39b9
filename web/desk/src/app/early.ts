// SPDX-License-Identifier: EUPL-1.2
//! Answers that `first.js` asked for while the browser was reading the program.

declare global {
  interface Window {
    belofteEarly?: Record<string, Promise<Response>>;
  }
}

/** Under which `first.js` finds whether somebody was signed in here; it says nothing about who. */
const SIGNED_IN = "belofte.in";

let used = false;

/** Whether an answer was taken that may be older than the number at which the live line begins. */
export const earlyUsed = (): boolean => used;

/** `fetch`, but what was asked for already is not asked for twice; each answer is given once. */
export async function fetchEarly(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const early = window.belofteEarly;
  const asked = request.method === "GET" ? early?.[pathname + search] : undefined;
  if (early && asked) {
    delete early[pathname + search];
    const answer = await asked.catch(() => null);
    if (answer?.ok) {
      used = true;
      return answer;
    }
  }
  return fetch(request);
}

export function noteSignedIn(here: boolean) {
  try {
    if (here) localStorage.setItem(SIGNED_IN, "1");
    else localStorage.removeItem(SIGNED_IN);
  } catch {
    // Without storage the first page comes a little later, that is all.
  }
}
