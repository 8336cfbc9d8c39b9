// SPDX-License-Identifier: EUPL-1.2

import { Drawer } from "@mantine/core";
import { useWords } from "../i18n";
import { Panel } from "./panel";

/** The panel over the thread, where there is no room beside it. */
export default function PanelSheet({ id, close }: { id: string; close: () => void }) {
  const { t } = useWords();
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size={340}
      title={t("panel.name")}
      closeButtonProps={{ "aria-label": t("action.close") }}
      styles={{ body: { padding: 0 }, title: { fontWeight: 600 } }}
    >
      <Panel id={id} />
    </Drawer>
  );
}
