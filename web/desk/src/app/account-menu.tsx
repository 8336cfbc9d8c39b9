// SPDX-License-Identifier: EUPL-1.2

import { Menu } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactElement, type RefObject, useEffect, useState } from "react";
import { useWords } from "../i18n";
import { OutIcon, UserIcon } from "../ui/icons";
import css from "./desk.module.css";
import { useSession } from "./session";

interface Props {
  /** The button that opens it. */
  children: ReactElement;
  /** The same, where the focus returns to. */
  pressed: RefObject<HTMLButtonElement | null>;
  help: () => void;
  signOut: () => void;
}

export default function AccountMenu({ children, pressed, help, signOut }: Props) {
  const { t } = useWords();
  const session = useSession();
  // It is drawn because the button was pressed, whose place another one has taken.
  const [opened, setOpened] = useState(false);
  useEffect(() => {
    pressed.current?.focus();
    setOpened(true);
  }, [pressed]);
  return (
    <Menu position="right-end" width={220} opened={opened} onChange={setOpened}>
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
