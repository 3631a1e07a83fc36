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

// Colours are in styles/tokens.css. Mantine may write no style tags under the Content-Security-Policy, which is also why
// dialogs do not lock the page's scrolling.
const scrollLock = { lockScroll: false };

export const theme = createTheme({
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({ defaultProps: scrollLock }),
    ModalRoot: ModalRoot.extend({ defaultProps: scrollLock }),
    Drawer: Drawer.extend({ defaultProps: scrollLock }),
    DrawerRoot: DrawerRoot.extend({ defaultProps: scrollLock }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
    InputWrapper: Input.Wrapper.extend({
      defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] },
    }),
    NumberInput: NumberInput.extend({ defaultProps: { hideControls: true } }),
    Select: Select.extend({ defaultProps: { comboboxProps: { withinPortal: false } } }),
  },
});
