import type {
  Button,
  Drawer,
  DrawerRoot,
  Input,
  Modal,
  ModalRoot,
  MultiSelect,
  Notification,
  NumberInput,
  Select,
  Switch,
} from "@mantine/core";
import { createTheme } from "@mantine/core";
import styles from "./theme.module.css";

/**
 * What Mantine's `Component.extend` takes. The components themselves are not imported: they would be part of the first load.
 */
type Extension<Component extends { extend: (input: never) => unknown }> = Parameters<Component["extend"]>[0];

// Colours are in styles/tokens.css. Mantine may write no style tags under the Content-Security-Policy, which is also why
// dialogs do not lock the page's scrolling.
const scrollLock = { lockScroll: false };

const dropdown = {
  defaultProps: { comboboxProps: { withinPortal: false } },
  classNames: {
    dropdown: styles.selectDropdown ?? "",
    options: styles.selectOptions ?? "",
    option: styles.selectOption ?? "",
  },
};

export const theme = createTheme({
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: { classNames: { root: styles.button } } satisfies Extension<typeof Button>,
    Modal: {
      defaultProps: scrollLock,
      classNames: { title: styles.dialogTitle, content: styles.modalContent },
    } satisfies Extension<typeof Modal>,
    ModalRoot: { defaultProps: scrollLock } satisfies Extension<typeof ModalRoot>,
    Drawer: {
      defaultProps: scrollLock,
      classNames: { title: styles.dialogTitle, content: styles.drawerContent },
    } satisfies Extension<typeof Drawer>,
    DrawerRoot: { defaultProps: scrollLock } satisfies Extension<typeof DrawerRoot>,
    Notification: {
      defaultProps: { closeButtonProps: { "aria-label": "Close" } },
      classNames: { description: styles.notificationText },
    } satisfies Extension<typeof Notification>,
    Input: { classNames: { wrapper: styles.inputWrapper } } satisfies Extension<typeof Input>,
    InputWrapper: {
      defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] },
      classNames: { label: styles.inputLabel },
    } satisfies Extension<typeof Input.Wrapper>,
    NumberInput: { defaultProps: { hideControls: true } } satisfies Extension<typeof NumberInput>,
    Select: dropdown satisfies Extension<typeof Select>,
    MultiSelect: dropdown satisfies Extension<typeof MultiSelect>,
    Switch: { classNames: { input: styles.switchInput, track: styles.switchTrack } } satisfies Extension<
      typeof Switch
    >,
  },
});
