// The reference of the operator API, drawn by Redoc from the document that this service serves.
const text = "system-ui, sans-serif";
const code = "ui-monospace, monospace";

Redoc.init(
  "/openapi.json",
  {
    // The search runs in a worker made of a blob, which the Content-Security-Policy does not allow. The browser's search
    // finds every operation: all of them stand on the page.
    disableSearch: true,
    hideHostname: true,
    nativeScrollbars: true,
    sortPropsAlphabetically: true,
    theme: {
      typography: { fontFamily: text, headings: { fontFamily: text }, code: { fontFamily: code } },
    },
  },
  document.getElementById("reference"),
);
