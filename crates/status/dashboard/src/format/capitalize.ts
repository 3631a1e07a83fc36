/** `broker` → `Broker` */
export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `At 02:00` → `at 02:00`, for the middle of a sentence. */
export const uncapitalize = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
