// SPDX-License-Identifier: EUPL-1.2
//! The button of one's own account. Its menu is fetched after the first page has been painted.

import { type ComponentType, useEffect, useState } from "react";
import { useWords } from "../i18n";
import { Monogram } from "../ui/monogram";
import type AccountMenu from "./account-menu";
import css from "./desk.module.css";
import { atRest } from "./rest";
import { useSession } from "./session";

interface Props {
  help: () => void;
  signOut: () => void;
}

export function Account(props: Props) {
  const { t } = useWords();
  const session = useSession();
  const [menu, setMenu] = useState<{ Drawn: ComponentType<Parameters<typeof AccountMenu>[0]>; opened: boolean } | null>(null);
  const load = (opened: boolean) =>
    void import("./account-menu").then((found) => setMenu((have) => have ?? { Drawn: found.default, opened }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the desk has come to rest
  useEffect(() => atRest(() => load(false)), []);
  const button = (
    <button
      type="button"
      className={css.me}
      aria-label={t("rail.account", { name: session.user.name })}
      {...(menu ? {} : { "aria-haspopup": "menu" as const, "aria-expanded": false, onClick: () => load(true) })}
    >
      <Monogram name={session.user.name} size={30} />
    </button>
  );
  if (!menu) return button;
  return (
    <menu.Drawn opened={menu.opened} {...props}>
      {button}
    </menu.Drawn>
  );
}
