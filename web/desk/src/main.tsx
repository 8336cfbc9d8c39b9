// SPDX-License-Identifier: EUPL-1.2

import "./ui/mantine.css";
import "./ui/tokens.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { conversationIn } from "./app/here";
import { listQuery, queryClient } from "./app/queries";
import { router } from "./app/router";
import { Toasts } from "./app/toasts";
import { currentLanguage, loadWords, WordsProvider } from "./i18n";
import { loadThread } from "./conversations/workspace";
import { FILTERS, isView } from "./conversations/views";
import { schemeManager } from "./ui/scheme";
import { theme } from "./ui/theme";

/** So long the frame waits for the list, to be painted once and whole; a slower list comes in later. */
const PATIENCE_MS = 100;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

// A desk that was open while the server got a newer one asks for pieces that are gone. What was
// typed is kept, so the page is read anew, if the server is there; once a minute at most, for when
// that does not help. Otherwise the view says what is wrong.
const RELOADED = "belofte.reloaded";
window.addEventListener("vite:preloadError", () => {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED) ?? 0) < 60_000) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  fetch("/", { cache: "no-store" })
    .then((answer) => answer.ok && location.reload())
    .catch(() => undefined);
});

async function start() {
  const place = document.getElementById("root");
  if (!place) throw new Error("index.html has no #root");
  // The pieces that this page is made of, all at once.
  if (conversationIn(location.pathname)) void loadThread();
  const view = /^\/inbox\/([^/]+)/.exec(location.pathname)?.[1] ?? "mine";
  const list = isView(view) && /^\/(?:inbox|$)/.test(location.pathname) ? queryClient.prefetchInfiniteQuery(listQuery(FILTERS[view])) : null;
  const expected = currentLanguage();
  const [first] = await Promise.all([loadWords(expected), router.load(), list && Promise.race([list, pause(PATIENCE_MS)])]);
  // The session may say that its user reads another language than this browser did last.
  const words = currentLanguage() === expected ? first : await loadWords(currentLanguage());
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
