// The shared worker that holds the updates stream of all tabs.
import { type HubPort, StreamHub } from "./stream-hub";

const hub = new StreamHub();

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (port) hub.connect(port as unknown as HubPort);
});
