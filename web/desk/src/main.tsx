// SPDX-License-Identifier: EUPL-1.2

import "./ui/mantine.css";
import "./ui/tokens.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { queryClient } from "./app/queries";
import { router } from "./app/router";
import { Toasts } from "./app/toasts";
import { currentLanguage, loadWords, WordsProvider } from "./i18n";
import { schemeManager } from "./ui/scheme";
import { theme } from "./ui/theme";

async function start() {
  const place = document.getElementById("root");
  if (!place) throw new Error("index.html has no #root");
  const words = await loadWords(currentLanguage());
  createRoot(place).render(
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={schemeManager()}
      // Both would write style elements; tokens.css carries what they hold.
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <WordsProvider first={words}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
          <Toasts />
        </QueryClientProvider>
      </WordsProvider>
    </MantineProvider>,
  );
}

void start();
