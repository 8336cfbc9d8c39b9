// SPDX-License-Identifier: EUPL-1.2
//! The door in the middle of work: a session ended, the work waits behind it.

import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { begin, forget, useSession } from "../app/session";
import { useTitle } from "../app/title";
import { useWords } from "../i18n";
import { SignInForm } from "./form";
import { Gate } from "./gate";
import css from "./gate.module.css";

export default function SignInAgain({ onDone }: { onDone: () => void }) {
  const { t } = useWords();
  const { user } = useSession();
  const navigate = useNavigate();
  useTitle(t("sign_in.title"));
  return (
    <Gate>
      <SignInForm
        title={t("sign_in.again")}
        lead={t("sign_in.again_text")}
        known={user.email}
        onSession={(session) => {
          const other = session.user.id !== user.id;
          begin(session);
          // What is at this address was the work of somebody else.
          if (other) void navigate({ to: "/", replace: true }).then(onDone);
          else onDone();
        }}
      >
        <div className={css.stack}>
          <Button
            variant="default"
            onClick={() => void navigate({ to: "/sign-in", search: {}, ignoreBlocker: true }).then(() => forget())}
          >
            {t("sign_in.other")}
          </Button>
        </div>
      </SignInForm>
    </Gate>
  );
}
