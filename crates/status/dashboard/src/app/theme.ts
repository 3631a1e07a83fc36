import {
  Button,
  createTheme,
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
import styles from "./theme.module.css";

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
    Button: Button.extend({ classNames: { root: styles.button } }),
    Modal: Modal.extend({
      defaultProps: scrollLock,
      classNames: { title: styles.dialogTitle, content: styles.modalContent },
    }),
    ModalRoot: ModalRoot.extend({ defaultProps: scrollLock }),
    Drawer: Drawer.extend({
      defaultProps: scrollLock,
      classNames: { title: styles.dialogTitle, content: styles.drawerContent },
    }),
    DrawerRoot: DrawerRoot.extend({ defaultProps: scrollLock }),
    Notification: Notification.extend({
      defaultProps: { closeButtonProps: { "aria-label": "Close" } },
      classNames: { description: styles.notificationText },
    }),
    Input: Input.extend({ classNames: { wrapper: styles.inputWrapper } }),
    InputWrapper: Input.Wrapper.extend({
      defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] },
      classNames: { label: styles.inputLabel },
    }),
    NumberInput: NumberInput.extend({ defaultProps: { hideControls: true } }),
    Select: Select.extend(dropdown),
    MultiSelect: MultiSelect.extend(dropdown),
    Switch: Switch.extend({ classNames: { input: styles.switchInput, track: styles.switchTrack } }),
  },
});
