// SPDX-License-Identifier: EUPL-1.2

import { Menu } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useWords } from "../i18n";
import { OutIcon, UserIcon } from "../ui/icons";
import css from "./desk.module.css";
import { useSession } from "./session";

interface Props {
  /** The button that opens it. */
  children: ReactElement;
  /** Whether the button was pressed before the menu was there. */
  opened: boolean;
  help: () => void;
  signOut: () => void;
}

export default function AccountMenu({ children, opened, help, signOut }: Props) {
  const { t } = useWords();
  const session = useSession();
  return (
    <Menu position="right-end" width={220} defaultOpened={opened}>
      <Menu.Target>{children}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.user.name}
          <br />
          {session.tenant.name}
        </Menu.Label>
        <Menu.Item component={Link} to="/settings/profile" leftSection={<UserIcon size={16} />}>
          {t("settings.profile")}
        </Menu.Item>
        <Menu.Item onClick={help} rightSection={<kbd className={css.kbd}>?</kbd>}>
          {t("help.title")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<OutIcon size={16} />} onClick={signOut}>
          {t("action.sign_out")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
