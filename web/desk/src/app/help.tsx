// SPDX-License-Identifier: EUPL-1.2

import { Modal } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type Key, useWords } from "../i18n";
import css from "./help.module.css";
import { useSession } from "./session";

const apple = /Mac|iPhone|iPad/.test(navigator.userAgent);
const CTRL = apple ? "⌘" : "Ctrl";

const KEYS: [string[], Key][] = [
  [["j"], "keys.next"],
  [["k"], "keys.previous"],
  [["x"], "keys.select"],
  [["Shift", "j / k"], "keys.select_more"],
  [["r"], "keys.reply"],
  [["Shift", "R"], "keys.reply_all"],
  [["f"], "keys.forward"],
  [["n"], "keys.note"],
  [["c"], "keys.new_mail"],
  [["a"], "keys.assign"],
  [["e"], "keys.resolve"],
  [["t"], "keys.tag"],
  [["z"], "keys.snooze"],
  [["m"], "keys.move"],
  [["i"], "keys.macro"],
  [["g"], "keys.merge"],
  [["p"], "keys.print"],
  [["b"], "keys.notifications"],
  [["/"], "keys.search"],
  [["?"], "keys.help"],
];
const CHORDS: [string[], Key][] = [
  [[CTRL, "K"], "keys.palette"],
  [[CTRL, "/"], "keys.macro_writing"],
  [[CTRL, "Enter"], "keys.send"],
  [[CTRL, "Shift", "Enter"], "keys.send_resolve"],
  [["Esc"], "keys.close"],
];

export default function Help({ close }: { close: () => void }) {
  const { t } = useWords();
  const session = useSession();
  return (
    <Modal opened onClose={close} title={t("help.title")} size={600} closeButtonProps={{ "aria-label": t("action.close") }}>
      <div className={css.columns}>
        <List name={t("help.single")} rows={KEYS} off={!session.user.single_key_shortcuts} />
        <List name={t("help.always")} rows={CHORDS} off={false} />
      </div>
      <p className={css.text}>
        {session.user.single_key_shortcuts ? t("help.on") : t("help.off")}{" "}
        <Link to="/settings/profile" onClick={close}>
          {t("help.switch")}
        </Link>
      </p>
    </Modal>
  );
}

function List({ name, rows, off }: { name: string; rows: [string[], Key][]; off: boolean }) {
  const { t } = useWords();
  return (
    <section data-off={off || undefined} className={css.list}>
      <h3>{name}</h3>
      <dl>
        {rows.map(([combination, key]) => (
          <div key={key}>
            <dt>
              {combination.map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{t(key)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
