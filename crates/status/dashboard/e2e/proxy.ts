// A TCP proxy between the browser and the services that a test can cut and restore.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { system } from "./system";

export interface Proxy {
  url: string;
  /** Closes all connections and refuses new ones until `restore`. */
  cut: () => void;
  restore: () => void;
  close: () => void;
}

export async function startProxy(): Promise<Proxy> {
  const { hostname, port } = new URL(system().url);
  const sockets = new Set<Socket>();
  let isCut = false;
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // The close event that follows also closes the other end.
    socket.on("error", () => socket.destroy());
  };
  const listener = createServer((client) => {
    track(client);
    if (isCut) {
      client.destroy();
      return;
    }
    const server = connect(Number(port), hostname);
    track(server);
    client.pipe(server).pipe(client);
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const closeAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      closeAll();
    },
    restore: () => {
      isCut = false;
    },
    close: () => {
      closeAll();
      listener.close();
    },
  };
}
