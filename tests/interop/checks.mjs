// The report that every JavaScript client prints: one JSON line per check, for pytest to judge.

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const LIMIT_MS = 30_000
// Kept from before a check holds timers.
const { setTimeout } = globalThis

/** Loads a package from the folder that the tests name, wherever it is. */
export const load = createRequire(join(process.env.CHAINWS_NODE_MODULES, 'any.cjs'))

/** Returns the version of an installed package. */
export function versionOf(name) {
  const file = join(process.env.CHAINWS_NODE_MODULES, name, 'package.json')
  return JSON.parse(readFileSync(file, 'utf8')).version
}

export const contract = JSON.parse(
  readFileSync(new URL('./contract.json', import.meta.url), 'utf8'),
)

/** The well-known accounts of development chains: keys 0 and 1 of the "test … junk" mnemonic. */
export const KEYS = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
]
export const ADDRESSES = [
  '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
]

/** Runs one check and prints how it went; a later check still runs when this one fails. */
export async function check(name, body, limit = LIMIT_MS) {
  const line = { name, ok: true }
  try {
    await within(body(), limit, name)
  } catch (error) {
    line.ok = false
    line.detail = String(error?.stack ?? error)
  }
  console.log(JSON.stringify(line))
}

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/**
 * Asks the tests for something that a client cannot do, and returns when it is done: 'away' kills
 * the server and returns the URL where another one serves the same chain, 'back' puts a server
 * where the first one was, 'freeze' stops the server's process and 'thaw' lets it run again.
 */
export async function ask(verb) {
  console.log(JSON.stringify({ ask: verb }))
  return JSON.parse((await answers.next()).value).answer
}

/** Sends one request by HTTP, past the library. */
export async function post(url, method, ...params) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { error, result } = await response.json()
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}

/**
 * Holds back the library's timers of one length, so that a check decides when their time has come.
 * `kind` is 'setTimeout' or 'setInterval'; `next` waits for such a timer and returns its function.
 */
export function hold(kind, milliseconds) {
  const held = new Inbox()
  const real = globalThis[kind]
  globalThis[kind] = (body, wait, ...rest) => {
    if (wait !== milliseconds) return real(body, wait, ...rest)
    held.push(body)
    return undefined
  }
  return { next: () => held.next(), release: () => { globalThis[kind] = real } }
}

/** Waits for something that no event tells of. */
export async function until(condition, what) {
  const wait = async () => {
    while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await within(wait(), 10_000, what)
}

/** Fails when the promise takes longer than the limit. */
export function within(promise, limit, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing in ${limit} ms`)), limit)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

export function equal(found, expected, what = 'value') {
  const show = (value) =>
    JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item))
  if (show(found) !== show(expected)) {
    throw new Error(`${what}: expected ${show(expected)}, found ${show(found)}`)
  }
}

export function ok(condition, what) {
  if (!condition) throw new Error(what)
}

/** Returns the error that the promise fails with. */
export async function failure(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it succeeded, but a failure was expected')
}

/** A queue between callbacks and `await`: push events in, await them in order. */
export class Inbox {
  items = []
  waiting = []

  push = (item) => {
    const next = this.waiting.shift()
    if (next) next(item)
    else this.items.push(item)
  }

  next(limit = 10_000) {
    const arrival = this.items.length
      ? Promise.resolve(this.items.shift())
      : new Promise((resolve) => this.waiting.push(resolve))
    return within(arrival, limit, 'event')
  }

  /** Returns the first event that satisfies the condition, dropping those before it. */
  async until(condition) {
    for (;;) {
      const item = await this.next()
      if (condition(item)) return item
    }
  }
}
