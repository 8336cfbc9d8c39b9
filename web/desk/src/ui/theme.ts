// SPDX-License-Identifier: EUPL-1.2

import { createTheme, type MantineColorsTuple } from "@mantine/core";
import { createElement } from "react";
import { DownIcon } from "./icons";

// The shades that components compute with; what they show comes from tokens.css.
const accent: MantineColorsTuple = [
  "#e6f1f0",
  "#cfe4e2",
  "#a2cbc8",
  "#72b1ac",
  "#4a9b95",
  "#2b8c86",
  "#12807b",
  "#0b6f6b",
  "#0b5f5c",
  "#094d4b",
];

export const theme = createTheme({
  primaryColor: "accent",
  primaryShade: { light: 8, dark: 6 },
  colors: { accent },
  defaultRadius: "sm",
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "sm", fz: "var(--fs-13)", h: "var(--target)", px: 12, fw: 500 } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: "var(--target)" } },
    TextInput: { defaultProps: { size: "sm" } },
    // Whoever uses no mouse looks at what they typed as well.
    PasswordInput: { defaultProps: { size: "sm", visibilityToggleFocusable: true } },
    NativeSelect: { defaultProps: { size: "sm", rightSection: createElement(DownIcon, { size: 14 }) } },
    Textarea: { defaultProps: { size: "sm" } },
    Switch: { defaultProps: { size: "sm" } },
    Checkbox: { defaultProps: { size: "sm" } },
    Tooltip: {
      defaultProps: { openDelay: 400, withArrow: false, transitionProps: { duration: 120 }, fz: 12, px: 8, py: 4 },
    },
    // The first item gets the focus itself, not an empty element before it that no reader can place.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false, transitionProps: { duration: 120 }, position: "bottom-end", shadow: "md" } },
    // The scroll lock writes a style element, which the policy forbids; the
    // desk's body never scrolls, so nothing is lost.
    Modal: {
      defaultProps: { lockScroll: false, centered: true, overlayProps: { backgroundOpacity: 0.4 }, transitionProps: { duration: 140, transition: "fade" } },
    },
    Drawer: { defaultProps: { lockScroll: false, overlayProps: { backgroundOpacity: 0.4 }, transitionProps: { duration: 160 } } },
  },
});
