// Starts the system as it is run: the onboarding portal with its demo fleet and `sms-sync up`, each a process of its
// own, on private PostgreSQL and RabbitMQ servers, with databases and a vhost that go when the tests end.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../../../..");
const LOGS = join(HERE, "../test-results/services");
const BINARIES = process.env.SMS_TEST_BINARIES ?? join(ROOT, "target/debug");
const SERVERS = join(ROOT, ".local/test");

/** Addresses and tokens of the running system, passed to the tests in an environment variable. */
export interface System {
  url: string;
  portal: string;
  portalKey: string;
  amqpApi: string;
  vhost: string;
  admin: string;
  viewer: string;
  jwtSecret: string;
}

export const system = (): System => JSON.parse(process.env.SMS_E2E_SYSTEM ?? "{}") as System;

/** A token of the system whose secret this is. `vessels`: for these alone, by IMO number. */
export function mint(
  jwtSecret: string,
  subject: string,
  role: string,
  ttl = "12h",
  vessels: string[] = [],
): string {
  const scope = vessels.flatMap((imo) => ["--vessel", imo]);
  const args = ["token", "--subject", subject, "--role", role, "--ttl", ttl, ...scope];
  const env = { PATH: process.env.PATH ?? "", OPERATOR_JWT_SECRET: jwtSecret };
  return execFileSync(join(BINARIES, "sms-sync"), args, { env }).toString().trim();
}

export default async function start(): Promise<() => Promise<void>> {
  execFileSync(join(ROOT, "deploy/local/servers.sh"), ["start", SERVERS, "test"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const servers = parseEnvFile(readFileSync(join(SERVERS, "servers.env"), "utf8"));
  const name = `dash_${randomBytes(6).toString("hex")}`;
  const databases = [`${name}_maintenance`, `${name}_onboarding`];
  const psql = (sql: string) =>
    execFileSync("psql", [
      databaseUrl(servers.DATABASE_SERVER_URL, "postgres"),
      "-qX",
      "-v",
      "ON_ERROR_STOP=1",
      "-c",
      sql,
    ]);
  for (const database of databases) psql(`CREATE DATABASE ${database}`);
  const amqpApi = required(servers.RABBITMQ_MANAGEMENT_URL);
  await management(amqpApi, "PUT", `/api/vhosts/${name}`);

  const [port, portalPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const portal = `http://127.0.0.1:${portalPort}`;
  const secret = randomBytes(32).toString("hex");
  const shared = {
    PATH: process.env.PATH ?? "",
    SMS_ENV: "development",
    ONBOARDING_API_KEY: randomBytes(24).toString("hex"),
    WEBHOOK_SECRET: `whsec_${randomBytes(32).toString("base64")}`,
  };
  const syncEnv = {
    ...shared,
    BIND: `127.0.0.1:${port}`,
    DATABASE_URL: databaseUrl(servers.DATABASE_SERVER_URL, `${name}_maintenance`),
    AMQP_URL: `${required(servers.AMQP_SERVER_URL).replace(/\/$/, "")}/${name}`,
    ONBOARDING_API_URL: `${portal}/api`,
    OPERATOR_JWT_SECRET: secret,
    PASSWORD_SEAL_KEY: randomBytes(32).toString("base64"),
  };
  const portalKey = randomBytes(24).toString("hex");
  const portalEnv = {
    ...shared,
    ONBOARDING_ADMIN_KEY: portalKey,
    BIND: `127.0.0.1:${portalPort}`,
    ONBOARDING_DATABASE_URL: databaseUrl(servers.DATABASE_SERVER_URL, `${name}_onboarding`),
    WEBHOOK_URL: `${url}/api/sync/webhook`,
  };

  const started: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(started.map(stopProcess));
    for (const database of databases) psql(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await management(amqpApi, "DELETE", `/api/vhosts/${name}`);
  };
  try {
    mkdirSync(LOGS, { recursive: true });
    execFileSync(join(BINARIES, "onboarding-portal"), ["migrate"], { env: portalEnv });
    execFileSync(join(BINARIES, "onboarding-portal"), ["seed"], { env: portalEnv });
    execFileSync(join(BINARIES, "sms-sync"), ["migrate"], { env: syncEnv });
    started.push(startProgram("onboarding-portal", [], portalEnv), startProgram("sms-sync", ["up"], syncEnv));
    await waitUntilReady(`${portal}/readyz`, started);
    await waitUntilReady(`${url}/readyz`, started);
    const system: System = {
      url,
      portal,
      portalKey,
      amqpApi,
      vhost: name,
      admin: mint(secret, "anna", "admin"),
      viewer: mint(secret, "victor", "viewer"),
      jwtSecret: secret,
    };
    process.env.SMS_E2E_SYSTEM = JSON.stringify(system);
    return stop;
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** A request to RabbitMQ's management API. */
export async function management(
  api: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { origin, username, password } = new URL(api);
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`RabbitMQ answered ${method} ${path} with ${answer.status}: ${text}`);
  return text ? JSON.parse(text) : null;
}

function startProgram(program: string, args: string[], env: Record<string, string>): ChildProcess {
  const log = openSync(join(LOGS, `${program}.log`), "w");
  const child = spawn(join(BINARIES, program), args, { env, stdio: ["ignore", log, log] });
  closeSync(log);
  return child;
}

async function waitUntilReady(url: string, processes: ChildProcess[]): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const dead = processes.find((child) => child.exitCode !== null);
    if (dead) throw new Error(`${dead.spawnfile} ended with ${dead.exitCode}; its log is in ${LOGS}`);
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    if (Date.now() > deadline) throw new Error(`${url} did not get ready; logs are in ${LOGS}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const force = setTimeout(() => child.kill("SIGKILL"), 20_000);
    child.once("exit", () => {
      clearTimeout(force);
      done();
    });
    child.kill("SIGTERM");
  });
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === "object" ? found(address.port) : failed(new Error("no port")),
      );
    });
  });
}

function parseEnvFile(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => /^(?:export )?(\w+)=(.*)$/.exec(line.trim()));
  return Object.fromEntries(
    lines.flatMap((m) => (m?.[1] ? [[m[1], (m[2] ?? "").replace(/^(['"])(.*)\1$/, "$2")]] : [])),
  );
}

const required = (value: string | undefined): string => {
  if (!value) throw new Error("servers.env lacks an address");
  return value;
};

function databaseUrl(server: string | undefined, database: string): string {
  const url = new URL(required(server));
  url.pathname = `/${database}`;
  return url.toString();
}
