// SPDX-License-Identifier: EUPL-1.2
//! The button of one's own account. Its menu is fetched after the first page has been painted.

import { type ComponentType, useEffect, useRef, useState } from "react";
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

const load = () => import("./account-menu");

export function Account(props: Props) {
  const { t } = useWords();
  const session = useSession();
  const [menu, setMenu] = useState<{ Drawn: ComponentType<Parameters<typeof AccountMenu>[0]> } | null>(null);
  const pressed = useRef<HTMLButtonElement>(null);
  useEffect(() => atRest(() => void load()), []);
  const button = (
    <button
      ref={pressed}
      type="button"
      className={css.me}
      aria-label={t("rail.account", { name: session.user.name })}
      {...(menu ? {} : { "aria-haspopup": "menu" as const, "aria-expanded": false, onClick: () => void load().then((found) => setMenu({ Drawn: found.default })) })}
    >
      <Monogram name={session.user.name} size={30} />
    </button>
  );
  // The button becomes another one with the menu around it. That is at a press, which has ended: a menu that were drawn
  // when it happens to be there would take the button away from under a finger, and the press with it.
  if (!menu) return button;
  return (
    <menu.Drawn pressed={pressed} {...props}>
      {button}
    </menu.Drawn>
  );
}
