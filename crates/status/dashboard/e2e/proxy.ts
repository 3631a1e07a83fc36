// A wire between the browser and the services that a test can cut and mend.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { system } from "./system";

export interface Wire {
  url: string;
  /** Every connection breaks, and none comes about until it is mended. */
  cut: () => void;
  mend: () => void;
  close: () => void;
}

export async function wire(): Promise<Wire> {
  const { hostname, port } = new URL(system().url);
  const sockets = new Set<Socket>();
  let whole = true;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // The other end is told by the close that follows.
    socket.on("error", () => socket.destroy());
  };
  const listening = createServer((near) => {
    keep(near);
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    keep(far);
    near.pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await new Promise<void>((ready) => listening.listen(0, "127.0.0.1", ready));
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    cut: () => {
      whole = false;
      breakAll();
    },
    mend: () => {
      whole = true;
    },
    close: () => {
      breakAll();
      listening.close();
    },
  };
}
