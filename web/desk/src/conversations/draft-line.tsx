// SPDX-License-Identifier: EUPL-1.2
//! What the composer says of its draft: whether it is kept, and what another window made of it.

import type { Uuid } from "@belofte/api-client";
import { useState } from "react";
import { explainShort } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CheckIcon, WarnIcon } from "../ui/icons";
import css from "./draft-line.module.css";
import { refusalOf, settle, useDraftState } from "./draft-sync";
import { useColleagues } from "./present";
import { takeOver } from "./presence";

/** Whether what is written is kept, in a word. */
export function DraftState({ id }: { id: string }) {
  const words = useWords();
  const { t } = words;
  const state = useDraftState(id);
  const refusal = refusalOf(id);
  if (state === "still" || state === "changed" || state === "gone") return null;
  const failed = state === "failed";
  return (
    <span className={css.state} data-failed={failed || undefined} role={failed ? "alert" : undefined}>
      {failed ? <WarnIcon size={13} /> : state === "saved" ? <CheckIcon size={13} /> : null}
      <span>
        {failed && refusal ? explainShort(refusal, words) : t(failed ? "draft.not_saved" : state === "saved" ? "draft.saved" : "draft.saving")}
      </span>
    </span>
  );
}

/** Another window has changed or sent the draft: which one goes on is chosen here. */
export function DraftConflict({ id }: { id: string }) {
  const words = useWords();
  const { t } = words;
  const state = useDraftState(id);
  const [busy, setBusy] = useState(false);
  if (state !== "changed" && state !== "gone") return null;
  const choose = (which: "theirs" | "mine" | "both") => {
    setBusy(true);
    settle(id, which)
      .catch((error: unknown) => toast(explainShort(error, words), { bad: true }))
      .finally(() => setBusy(false));
  };
  return (
    <div className={css.bar} role="alert">
      <WarnIcon size={15} />
      <span className={css.text}>{t(state === "gone" ? "draft.gone" : "draft.changed")}</span>
      <span className={css.acts}>
        {state === "changed" && (
          <button type="button" disabled={busy} onClick={() => choose("both")}>
            {t("draft.keep_both")}
          </button>
        )}
        <button type="button" disabled={busy} onClick={() => choose("mine")}>
          {t("draft.keep_mine")}
        </button>
        <button type="button" disabled={busy} onClick={() => choose("theirs")}>
          {t(state === "gone" ? "draft.throw_away" : "draft.keep_theirs")}
        </button>
      </span>
    </div>
  );
}

/** A colleague writes the reply: it can be taken over with one act. */
export function WriterBar({ id, begun, taken }: { id: Uuid; begun: boolean; taken: () => void }) {
  const { t } = useWords();
  const { writer } = useColleagues(id);
  if (!writer) return null;
  return (
    <div className={css.bar} role="status">
      <span className={css.text}>{t(begun ? "presence.took_over" : "presence.writes", { name: writer.name })}</span>
      <span className={css.acts}>
        <button
          type="button"
          onClick={() => {
            takeOver(id);
            taken();
          }}
        >
          {t("presence.take_over")}
        </button>
      </span>
    </div>
  );
}

/** A colleague's answer went out meanwhile: nothing was sent. */
export function Overtaken({ read, send }: { read: () => void; send: () => void }) {
  const { t } = useWords();
  return (
    <div className={css.bar} role="alert">
      <WarnIcon size={15} />
      <span className={css.text}>{t("reply.overtaken")}</span>
      <span className={css.acts}>
        <button type="button" onClick={read}>
          {t("reply.overtaken_read")}
        </button>
        <button type="button" onClick={send}>
          {t("reply.overtaken_send")}
        </button>
      </span>
    </div>
  );
}
