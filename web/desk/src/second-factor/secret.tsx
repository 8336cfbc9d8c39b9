// SPDX-License-Identifier: EUPL-1.2

import type { NewSecret } from "@belofte/api-client";
import { useWords } from "../i18n";
import { QrCode } from "./qr";
import css from "./second-factor.module.css";

/** What an app is given: to scan, and to type. */
export function Secret({ secret }: { secret: NewSecret }) {
  const { t } = useWords();
  return (
    <>
      <p className={css.label}>{t("second_factor.scan")}</p>
      <QrCode text={secret.uri} name={t("second_factor.qr")} />
      <div className={css.secretBox}>
        <span className={css.label}>{t("second_factor.secret")}</span>
        <code className={css.secret}>{secret.secret.match(/.{1,4}/g)?.join(" ")}</code>
      </div>
    </>
  );
}
