// SPDX-License-Identifier: EUPL-1.2

import { useNavigate, useSearch } from "@tanstack/react-router";
import { begin } from "../app/session";
import { useTitle } from "../app/title";
import { useWords } from "../i18n";
import { SignInForm } from "./form";
import { Gate } from "./gate";

export function SignIn() {
  const { t } = useWords();
  const navigate = useNavigate();
  const { next } = useSearch({ strict: false });
  useTitle(t("sign_in.title"));
  return (
    <Gate>
      <SignInForm
        title={t("sign_in.title")}
        lead={t("sign_in.lead")}
        onSession={(session) => {
          begin(session);
          void navigate({ to: next ?? "/", replace: true });
        }}
      />
    </Gate>
  );
}
