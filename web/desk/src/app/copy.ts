// SPDX-License-Identifier: EUPL-1.2

import type { Words } from "../i18n";
import { toast } from "./toasts";

/** Puts text on the clipboard and says so, or that the browser refused; whether it is there. */
export async function copy(text: string, { t }: Pick<Words, "t">, said = t("did.copied")): Promise<boolean> {
  try {
    // Outside a secure page there is no clipboard, and a browser may refuse it.
    await navigator.clipboard.writeText(text);
    toast(said);
    return true;
  } catch {
    toast(t("copy.refused"), { bad: true });
    return false;
  }
}
