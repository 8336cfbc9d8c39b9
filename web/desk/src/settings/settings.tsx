// SPDX-License-Identifier: EUPL-1.2

import { ActionIcon } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Link, Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { useSession } from "../app/session";
import { useWords } from "../i18n";
import { BackIcon, ForwardIcon } from "../ui/icons";
import { SECTIONS } from "./sections";
import css from "./settings.module.css";

const PHONE = "(max-width: 639.98px)";

export function Settings() {
  const { t } = useWords();
  const session = useSession();
  const { pathname } = useLocation();
  const home = /^\/settings\/?$/.test(pathname);
  const sections = SECTIONS.filter((section) => section.may(session));
  const groups = [...new Set(sections.map((section) => section.group))];
  return (
    <div className={css.space} data-inside={!home || undefined}>
      <nav className={css.menu} aria-label={t("rail.settings")}>
        <h1>{t("rail.settings")}</h1>
        {groups.map((group) => (
          <div key={group}>
            <h2>{t(group)}</h2>
            <ul>
              {sections
                .filter((section) => section.group === group)
                .map((section) => (
                  <li key={section.to}>
                    <Link
                      to={section.to}
                      className={css.link}
                      data-active={pathname.startsWith(section.to) || undefined}
                      aria-current={pathname.startsWith(section.to) ? "page" : undefined}
                    >
                      <section.icon size={17} /> {t(section.name)}
                      <ForwardIcon size={16} className={css.forward} />
                    </Link>
                  </li>
                ))}
            </ul>
          </div>
        ))}
      </nav>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a page with nothing to press is scrolled by keyboard all the same */}
      <main className={css.main} tabIndex={0}>
        {!home && (
          <ActionIcon className={css.back} component={Link} to="/settings" aria-label={t("settings.back")}>
            <BackIcon />
          </ActionIcon>
        )}
        <Outlet />
      </main>
    </div>
  );
}

/** On a phone the menu is a page of its own; beside it, the first section is shown. */
export function SettingsHome() {
  const phone = useMediaQuery(PHONE, undefined, { getInitialValueInEffect: false });
  return phone ? null : <Navigate to="/settings/profile" replace />;
}
