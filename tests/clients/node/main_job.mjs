// The main job through the TypeScript SDK; prints what it saw as one JSON object.
// The SDK lies in the cache, and ES imports look only above this file: hence createRequire.
import { createRequire } from "node:module";

const load = createRequire(`${process.env.EYAS_CLIENT_MODULES}/package.json`);
const { Client } = load("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = load("@modelcontextprotocol/sdk/client/stdio.js");

const order = JSON.parse(process.argv[2]);
const over = ["succeeded", "failed", "cancelled", "timed_out"];
const client = new Client({ name: "eyas-clients", version: "1.0.0" });

async function call(name, args) {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
  return result.structuredContent;
}

async function delegate(mark) {
  let run = await call("delegate", { prompt: `Look at hello.py. ${mark}`, instance: "owl" });
  for (let round = 0; round < 8 && !over.includes(run.state); round++) {
    run = await call("run_get", { id: run.id, wait_ms: 20000 });
  }
  return run;
}

await client.connect(
  new StdioClientTransport({ command: order.eyas, args: ["mcp"], env: process.env, cwd: process.cwd() }),
);
try {
  const tools = (await client.listTools()).tools.map((tool) => tool.name);
  await call("persona_create", { id: "owl", name: "Owl", system_prompt: "You see at night.", model: order.model });
  await call("instance_create", { name: "owl", persona: "owl", agent: order.agent });
  const runs = [];
  for (const mark of order.marks) runs.push(await delegate(mark));
  console.log(JSON.stringify({ tools, runs }));
} finally {
  await client.close();
}
