import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./app/styles/tokens.css";
import "./app/styles/shell.css";
import "./app/styles/parts.css";
import "./app/styles/tables.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Providers } from "./app/providers";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Providers />
    </StrictMode>,
  );
}
