// SPDX-License-Identifier: EUPL-1.2
//! What stands under an input of a form about what came meanwhile.

import type { RecordField } from "@belofte/api-client";
import type { Words } from "../i18n";
import type { Form } from "./form";
import { given, shown } from "./value";

export function noteOf(form: Form, one: RecordField, words: Words): string {
  const { t } = words;
  const { value, setup, lost } = form.news[one.field_id] ?? {};
  const theirs = one.value == null ? one.was : shown(one, one.value, words);
  const yours = lost && given(lost.field, lost.entry);
  const lines = [
    setup && t("fields.changed_setup"),
    lost && yours != null && t("fields.you_had", { value: shown(lost.field, yours, words) }),
    value && t("fields.now", { value: theirs ?? t("fields.empty") }),
  ];
  return lines.filter(Boolean).join("\n");
}
