import {
  createTheme,
  Drawer,
  DrawerRoot,
  Input,
  Modal,
  ModalRoot,
  Notification,
  NumberInput,
  Select,
} from "@mantine/core";

// Colours stand in styles/tokens.css: under our Content-Security-Policy Mantine may not write its own style tags, for
// which reason dialogs must not lock the page's scrolling either.
const still = { lockScroll: false };

export const theme = createTheme({
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({ defaultProps: still }),
    ModalRoot: ModalRoot.extend({ defaultProps: still }),
    Drawer: Drawer.extend({ defaultProps: still }),
    DrawerRoot: DrawerRoot.extend({ defaultProps: still }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
    InputWrapper: Input.Wrapper.extend({
      defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] },
    }),
    NumberInput: NumberInput.extend({ defaultProps: { hideControls: true } }),
    Select: Select.extend({ defaultProps: { comboboxProps: { withinPortal: false } } }),
  },
});
