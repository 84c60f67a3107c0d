// memd's plugin for opencode. Written by `memd install opencode`, removed by `memd uninstall opencode`.
//
// opencode has no hooks of its own kind, so this turns its events into those that `memd hook` knows, in the shape that
// Claude Code gives them. Whatever goes wrong here or there, the session goes on as if memd weren't there.

import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const PROGRAM = ["memd"]
const PATIENCE = 2000 // milliseconds; `memd hook` itself gives up before

// opencode's tools and their arguments, by the names that Claude Code has for them.
const TOOLS = { bash: "Bash", edit: "Edit", write: "Write" }
const NAMES = { filePath: "file_path", oldString: "old_string", newString: "new_string" }

function tool(name, args) {
  const input = Object.entries(args ?? {}).map(([key, value]) => [NAMES[key] ?? key, value])
  return { tool_name: TOOLS[name] ?? name, tool_input: Object.fromEntries(input) }
}

function said(output) {
  try {
    const answer = JSON.parse(output)
    return answer?.hookSpecificOutput?.additionalContext ?? ""
  } catch {
    return ""
  }
}

function hook(event, payload) {
  return new Promise((resolve) => {
    let output = ""
    try {
      const [program, ...words] = [...PROGRAM, "hook", event, "--agent", "opencode"]
      const child = spawn(program, words, { stdio: ["pipe", "pipe", "ignore"], timeout: PATIENCE, killSignal: "SIGKILL" })
      child.on("error", () => resolve(""))
      child.on("close", () => resolve(said(output)))
      child.stdout.on("data", (part) => (output += part))
      child.stdin.on("error", () => {})
      child.stdin.end(JSON.stringify({ hook_event_name: event, ...payload }))
    } catch {
      resolve("")
    }
  })
}

function failure(part) {
  const code = part.state?.metadata?.exit
  if (part.state?.status === "error") return String(part.state.error ?? "failed")
  return code ? `Exit code ${code}\n${part.state?.output ?? ""}` : ""
}

// A session's messages as lines of JSON, one record each, in the shape of Claude Code's transcripts.
function transcript(session, cwd, messages) {
  const lines = []
  for (const { info, parts } of messages) {
    const record = { sessionId: session, cwd, uuid: info.id, timestamp: new Date(info.time?.created ?? 0).toISOString() }
    const spoken = parts.filter((part) => part.type === "text" && !part.synthetic && part.text)
    if (info.role === "user") {
      const content = spoken.map((part) => part.text).join("\n")
      if (content) lines.push({ type: "user", ...record, message: { role: "user", content } })
      continue
    }
    for (const part of parts) {
      const uuid = part.id
      if (part.type === "text" && part.text) {
        const content = [{ type: "text", text: part.text }]
        lines.push({ type: "assistant", ...record, uuid, message: { role: "assistant", content } })
      } else if (part.type === "tool" && ["completed", "error"].includes(part.state?.status)) {
        const { tool_name: name, tool_input: input } = tool(part.tool, part.state.input)
        const use = [{ type: "tool_use", id: part.callID, name, input }]
        const wrong = failure(part)
        const result = { type: "tool_result", tool_use_id: part.callID, content: wrong || part.state.output || "" }
        lines.push({ type: "assistant", ...record, uuid, message: { role: "assistant", content: use } })
        const content = [{ ...result, is_error: Boolean(wrong) }]
        lines.push({ type: "user", ...record, uuid: `${uuid}-result`, message: { role: "user", content } })
      }
    }
  }
  return lines.map((line) => JSON.stringify(line) + "\n").join("")
}

export const Memd = async ({ client, directory }) => {
  const started = new Set()
  const inner = new Set() // sessions of subagents: their prompts aren't a person's
  let folder = ""

  async function remember(event, session) {
    try {
      const { data } = await client.session.messages({ path: { id: session } })
      if (!folder) {
        folder = mkdtempSync(join(tmpdir(), "memd-opencode-"))
        process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
      }
      const transcript_path = join(folder, `${session.replace(/[^\w-]/g, "_")}.jsonl`)
      writeFileSync(transcript_path, transcript(session, directory, data ?? []), { mode: 0o600 })
      await hook(event, { session_id: session, cwd: directory, transcript_path })
    } catch {}
  }

  return {
    event: async ({ event }) => {
      const info = event.properties?.info
      if (event.type === "session.created" && info?.parentID) inner.add(info.id)
      const session = event.properties?.sessionID
      if (event.type === "session.idle" && started.has(session)) await remember("Stop", session)
    },
    "chat.message": async ({ sessionID: session }, output) => {
      if (inner.has(session)) return
      const common = { session_id: session, cwd: directory }
      const texts = output.parts.filter((part) => part.type === "text" && !part.synthetic).map((part) => part.text)
      const found = []
      if (!started.has(session)) {
        started.add(session)
        found.push(await hook("SessionStart", { ...common, source: "startup" }))
      }
      found.push(await hook("UserPromptSubmit", { ...common, prompt: texts.join("\n") }))
      found.filter(Boolean).forEach((text, number) => {
        const id = `prt_memd${Date.now().toString(16)}${number}`
        output.parts.push({ id, sessionID: session, messageID: output.message.id, type: "text", text, synthetic: true })
      })
    },
    "tool.execute.after": async ({ tool: name, sessionID: session, args }, output) => {
      if (!started.has(session) || !(name in TOOLS)) return
      const payload = { session_id: session, cwd: directory, ...tool(name, args) }
      const code = output.metadata?.exit
      if (code) await hook("PostToolUseFailure", { ...payload, error: `Exit code ${code}\n${output.output}` })
      else await hook("PostToolUse", { ...payload, tool_response: { stdout: output.output } })
    },
    "experimental.session.compacting": async ({ sessionID: session }) => {
      if (started.has(session)) await remember("PreCompact", session)
    },
  }
}
