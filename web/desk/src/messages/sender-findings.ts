// SPDX-License-Identifier: EUPL-1.2
//! What was found out about who sent a mail, in words. No React here.

import type { Authentication } from "@belofte/api-client";
import type { Words } from "../i18n/words";

export const domainOf = (domain: string | null | undefined, { t }: Words) => domain ?? t("sender.some_domain");

/** What was found out, line by line: what was looked at, and what it says. */
export function findings(checked: Authentication, words: Words): [string, string[]][] {
  const { t, tOr } = words;
  const signatures = checked.dkim.map((one) =>
    tOr(`sender.dkim.${one.result}`, "sender.dkim.other", { domain: domainOf(one.domain, words) }),
  );
  const lines: [string, string[]][] = [
    [t("sender.author"), [checked.domain ?? t("sender.author_none")]],
    [
      t("sender.spf"),
      [tOr(`sender.spf.${checked.spf.result}`, "sender.spf.other", { domain: domainOf(checked.spf.domain, words) })],
    ],
    [t("sender.dkim"), signatures.length > 0 ? signatures : [t("sender.dkim.none")]],
    [t("sender.dmarc"), [tOr(`sender.dmarc.${checked.dmarc.result}`, "sender.dmarc.other")]],
  ];
  const policy = checked.dmarc.policy;
  if (policy) lines.push([t("sender.policy"), [tOr(`sender.policy.${policy}`, "sender.policy.other")]]);
  return lines;
}
