import { Notifications } from "@mantine/notifications";

/** The messages that `notifications.show` shows, in the corner of the window. */
export const NotificationList = () => <Notifications position="bottom-right" />;
