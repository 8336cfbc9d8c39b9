// SPDX-License-Identifier: EUPL-1.2
//! List, thread and panel side by side; one at a time on a phone.

import type { Uuid } from "@belofte/api-client";
import { useMediaQuery } from "@mantine/hooks";
import { type CSSProperties, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { NEW, useHere } from "../app/here";
import { expect } from "../app/hold";
import { atRest } from "../app/rest";
import { useSession } from "../app/session";
import { useShortcuts } from "../app/shortcuts";
import { useWords } from "../i18n";
import { askForMacros, useOffered } from "../macros/offer";
import { InboxIcon } from "../ui/icons";
import { Blank } from "../app/states";
import { arrange, useArrangement } from "./arrange";
import { compose, type Kind } from "./compose";
import { openPrint } from "./print-window";
import { fieldOf, offerTools, TOOL_KEYS, type Tool } from "./tool";
import css from "./workspace.module.css";

// The list is painted first; what stands beside it is fetched meanwhile.
export const loadThread = () => import("./open");
const Thread = lazy(() => loadThread().then((found) => ({ default: found.Thread })));
const NewMail = lazy(() => import("./new-mail"));
const Panel = lazy(() => loadThread().then((found) => ({ default: found.Panel })));
const ArrangeDialog = lazy(() => import("./arrange-dialog"));
const MacroDialog = lazy(() => import("../macros/macro-dialog"));
const PanelSheet = lazy(() => import("./panel-sheet"));

const LIST = { least: 320, most: 400, first: 360, key: "belofte.list-width" };
const PANEL_KEY = "belofte.panel";

function keptWidth(): number {
  const value = Number(localStorage.getItem(LIST.key));
  return value >= LIST.least && value <= LIST.most ? value : LIST.first;
}

interface Props {
  list: ReactNode;
  /** There is nothing in the list: then nothing is asked to be chosen either. */
  nothing?: boolean;
  listName: string;
  conversation: string | undefined;
  onBack: () => void;
  /** Goes to the next conversation of the list, after one was resolved. */
  onNext: () => void;
  /** Opens a tool over what is selected; false when nothing is, and the open conversation is meant. */
  onTool?: (tool: Tool) => boolean;
  /** Offers macros over what is selected; false when nothing is. */
  onMacros?: () => boolean;
}

export function Workspace({ list, nothing, listName, conversation: shown, onBack, onNext, onTool, onMacros }: Props) {
  const { t } = useWords();
  const session = useSession();
  const here = useHere();
  const conversation = shown === NEW ? undefined : shown;
  const [width, setWidth] = useState(keptWidth);
  const [panel, setPanel] = useState(() => localStorage.getItem(PANEL_KEY) !== "closed");
  const [sheet, setSheet] = useState(false);
  const narrow = useMediaQuery("(max-width: 1023.98px)", undefined, { getInitialValueInEffect: false });

  const write = (kind: Kind) => {
    const id = here();
    if (id) compose(id, kind);
  };
  const [open, setOpen] = useState<{ id: Uuid; tool: Tool } | null>(null);
  const use = (tool: Tool) => {
    const id = here();
    const taken = onTool?.(tool) ?? false;
    if (!taken && !id) return;
    const field = fieldOf(tool);
    if (field) expect(field);
    if (!taken && id) setOpen({ id, tool });
  };
  useShortcuts(
    {
      r: () => write("reply"),
      R: () => write("all"),
      f: () => write("forward"),
      n: () => write("note"),
      g: () => {
        const id = here();
        if (id) arrange({ what: "merge", id });
      },
      i: () => {
        if (onMacros?.()) return;
        const id = here();
        if (id) askForMacros([id]);
      },
      p: () => {
        const id = here();
        if (id) openPrint(id);
      },
      ...Object.fromEntries(Object.entries(TOOL_KEYS).map(([key, tool]) => [key, () => use(tool)])),
    },
    session.user.single_key_shortcuts,
  );

  const latest = useRef(use);
  latest.current = use;
  useEffect(() => offerTools((tool) => latest.current(tool)), []);

  useEffect(() => atRest(() => void loadThread()), []);

  const resize = (next: number) => {
    const held = Math.round(Math.min(LIST.most, Math.max(LIST.least, next)));
    setWidth(held);
    localStorage.setItem(LIST.key, String(held));
  };
  const togglePanel = () => {
    if (narrow) {
      setSheet((open) => !open);
      return;
    }
    setPanel((open) => {
      localStorage.setItem(PANEL_KEY, open ? "closed" : "open");
      return !open;
    });
  };

  const arrangement = useArrangement();
  const offered = useOffered();

  return (
    <div
      className={css.space}
      data-panel={(panel && conversation) || undefined}
      data-reading={shown ? true : undefined}
      style={{ "--list": `${width}px` } as CSSProperties}
    >
      <section className={css.list} aria-label={listName}>
        {list}
        <div
          role="separator"
          aria-orientation="vertical"
          aria-label={t("list.resize")}
          aria-valuemin={LIST.least}
          aria-valuemax={LIST.most}
          aria-valuenow={width}
          tabIndex={0}
          className={css.handle}
          onKeyDown={(event) => {
            if (event.key === "ArrowLeft") resize(width - 8);
            if (event.key === "ArrowRight") resize(width + 8);
          }}
          onPointerDown={(event) => {
            const from = event.clientX;
            const grip = event.currentTarget;
            grip.setPointerCapture(event.pointerId);
            grip.onpointermove = (move) => resize(width + move.clientX - from);
            grip.onpointerup = () => {
              grip.onpointermove = null;
            };
          }}
        />
      </section>
      <main className={css.thread}>
        {shown === NEW ? (
          <Suspense fallback={null}>
            <NewMail onBack={onBack} />
          </Suspense>
        ) : conversation ? (
          <Suspense fallback={null}>
            <Thread
              key={conversation}
              id={conversation}
              onBack={onBack}
              onNext={onNext}
              panelOpen={narrow ? sheet : panel}
              togglePanel={togglePanel}
              tool={open?.id === conversation ? open.tool : null}
              setTool={(tool) => setOpen(tool ? { id: conversation, tool } : null)}
            />
          </Suspense>
        ) : nothing ? null : (
          <Blank icon={InboxIcon} title={t("thread.none")} text={t("thread.none_text")} />
        )}
      </main>
      {arrangement && (
        <Suspense fallback={null}>
          <ArrangeDialog key={`${arrangement.what} ${arrangement.id}`} {...arrangement} />
        </Suspense>
      )}
      {offered && (
        <Suspense fallback={null}>
          <MacroDialog {...offered} />
        </Suspense>
      )}
      {conversation && panel && !narrow && (
        <aside className={css.panel} aria-label={t("panel.name")}>
          <Suspense fallback={null}>
            <Panel id={conversation} />
          </Suspense>
        </aside>
      )}
      {conversation && narrow && (
        <Suspense fallback={null}>
          {sheet && <PanelSheet id={conversation} close={() => setSheet(false)} />}
        </Suspense>
      )}
    </div>
  );
}
