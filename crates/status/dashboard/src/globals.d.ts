/** The version in package.json. */
declare const DASHBOARD_VERSION: string;
