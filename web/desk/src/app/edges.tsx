// SPDX-License-Identifier: EUPL-1.2

import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useWords } from "../i18n";
import { SearchIcon } from "../ui/icons";
import { Blank, Failure } from "./states";

export function NotFound() {
  const { t } = useWords();
  return (
    <main>
      <Blank icon={SearchIcon} title={t("state.not_found")} text={t("state.not_found_text")}>
        <Button component={Link} to="/" variant="default">
          {t("action.to_inbox")}
        </Button>
      </Blank>
    </main>
  );
}

export function BootFailure({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <main>
      <Failure
        error={error}
        retry={() => {
          reset();
          location.reload();
        }}
      />
    </main>
  );
}
