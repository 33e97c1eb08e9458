// alchemy-sdk, unmodified, against the server whose WebSocket URL is the first argument.

import {
  ADDRESSES, ask, check, contract, equal, failure, hold, Inbox, KEYS, load, ok, post, versionOf,
  within,
} from './checks.mjs'

const {
  Alchemy, AlchemySubscription, AssetTransfersCategory, ContractFactory, Network, Utils, Wallet,
} = load('alchemy-sdk')

const HEARTBEAT_MS = 30_000 // the library's own, like the time that it waits for an answer
const ANSWER_MS = 10_000
const SINK = `0x${'77'.repeat(20)}`
const url = `${process.argv[2]}v2/any-key`
const web = url.replace(/^ws/, 'http')
const settings = { apiKey: 'any-key', network: Network.ETH_MAINNET }
const reads = new Alchemy({ ...settings, url: web }).core
const [from, to] = ADDRESSES
const { MINED_TRANSACTIONS, PENDING_TRANSACTIONS } = AlchemySubscription
const coder = new Utils.Interface(contract.abi)
let address

// The SDK knows networks by their chain ids and no development chain among them.
await reads.send('anvil_setChainId', [1])

/** A connection of the SDK, with what it is answered, and inboxes for what it is told. */
class Live {
  replies = new Inbox()

  static async open() {
    const live = new Live()
    live.ws = new Alchemy({ ...settings, url }).ws
    live.socket = await live.ws.config.getWebSocketProvider()
    live.socket.on('debug', (event) => { if (event.action === 'response') live.replies.push(event) })
    await live.socket.send('net_version', [])
    return live
  }

  /** Waits for the next answer to this method and returns it. */
  async reply(method) {
    const { response } = await this.replies.until(({ request }) => request.method === method)
    return response
  }

  /** Listens to something; returns when the server knows. */
  async listen(event) {
    const inbox = new Inbox()
    this.replies.items.length = 0
    this.ws.on(event, inbox.push)
    await this.reply('eth_subscribe')
    return inbox
  }

  /** Stops listening; returns the server's answer. */
  async forget(event) {
    this.replies.items.length = 0
    this.ws.off(event)
    return this.reply('eth_unsubscribe')
  }
}

/** Makes the body of a check that has a connection of its own. */
const connected = (body) => async () => {
  const live = await Live.open()
  try {
    await body(live)
  } finally {
    await live.socket.destroy()
  }
}

const send = (value) => reads.send('eth_sendTransaction', [{ from, to, value }])
const setting = (value) => ({ from, to: address, data: coder.encodeFunctionData('set', [value]) })
const set = (value) => reads.send('eth_sendTransaction', [setting(value)])
const height = async () => Number(await reads.send('eth_blockNumber', []))
const value = (log) => coder.parseLog(log).args.value.toNumber()

await check('connects with its subprotocol', connected(async (live) => {
  equal(live.socket.websocket.protocol, `alchemy-sdk-${versionOf('alchemy-sdk')}`)
  equal((await live.socket.getNetwork()).chainId, 1)
}))

await check('reads the chain over its socket', connected(async (live) => {
  const { socket } = live
  equal(await socket.getBlockNumber(), await height())
  const block = await socket.getBlockWithTransactions('latest')
  equal((await socket.getBlock(block.hash)).number, block.number)
  ok((await socket.getBalance(to)).gt(Utils.parseEther('100')), 'balance')
  equal(await socket.getCode(to), '0x')
  const fees = await socket.getFeeData()
  ok(fees.maxFeePerGas.gt(fees.maxPriorityFeePerGas), 'fees')
  const error = await failure(socket.send('eth_noSuchThing', []))
  equal(error.code, -32601)
}))

await check('deploys a contract and explains a revert', connected(async (live) => {
  const wallet = new Wallet(KEYS[0], live.socket)
  const deployed = await new ContractFactory(contract.abi, contract.bytecode, wallet).deploy()
  await deployed.deployTransaction.wait()
  address = deployed.address
  ok((await live.socket.getCode(address)).length > 100, 'code')
  const error = await failure(deployed.callStatic.fail())
  equal([error.code, error.reason], ['CALL_EXCEPTION', 'boom'])
}))

await check('sends signed transactions of each type', connected(async (live) => {
  const wallet = new Wallet(KEYS[0], live.socket)
  for (const type of [0, 1, 2]) {
    const before = await live.socket.getBalance(SINK)
    const sent = await wallet.sendTransaction({ to: SINK, value: 7, type })
    const receipt = await sent.wait()
    equal([receipt.status, receipt.type], [1, type])
    equal((await live.socket.getTransaction(sent.hash)).blockHash, receipt.blockHash)
    equal((await live.socket.getBalance(SINK)).sub(before).toNumber(), 7)
  }
}))

await check('follows blocks, logs and pending transactions', connected(async (live) => {
  const blocks = await live.listen('block')
  const logs = await live.listen({ address, topics: coder.encodeFilterTopics('Set', [from]) })
  const others = await live.listen({ address, topics: coder.encodeFilterTopics('Set', [to]) })
  const pending = await live.listen('pending')
  const hash = await set(41)
  equal(await pending.next(), hash)
  equal(await blocks.next(), await height())
  const log = await logs.next()
  equal([log.transactionHash, log.removed, value(log)], [hash, false, 41])
  equal(others.items, [])
}))

await check('subscribes by party and follows a reorganisation', connected(async (live) => {
  const pending = (filter) => live.listen({ method: PENDING_TRANSACTIONS, ...filter })
  const mined = (filter) => live.listen({ method: MINED_TRANSACTIONS, ...filter })
  const sender = await pending({ fromAddress: [from] })
  const recipient = await pending({ toAddress: to })
  const either = await pending({ fromAddress: SINK, toAddress: [SINK, to] })
  const hashes = await pending({ hashesOnly: true })
  const stranger = await pending({ fromAddress: to, toAddress: SINK })
  const both = await mined({ addresses: [{ from, to }], includeRemoved: true })
  const standing = await mined({ addresses: [{ from: SINK }, { to }], hashesOnly: true })
  const nobody = await mined({ addresses: [{ from, to: SINK }], includeRemoved: true })

  const sent = await send('0xde0b6b3a7640000')
  for (const inbox of [sender, recipient, either]) {
    const seen = await inbox.next()
    equal([seen.hash, seen.blockHash], [sent, null])
  }
  const first = await both.next()
  equal([first.removed, first.transaction.hash], [false, sent])
  equal(await standing.next(), { removed: false, transaction: { hash: sent } })

  await reads.send('anvil_reorg', [1, []])
  equal(await both.next(), { removed: true, transaction: first.transaction })
  equal([await hashes.next(), await hashes.next()], [sent, sent])
  await reads.send('evm_mine', [])
  const second = await both.next()
  equal([second.removed, second.transaction.hash], [false, sent])
  ok(second.transaction.blockHash !== first.transaction.blockHash, 'another block')
  equal(await standing.next(), { removed: false, transaction: { hash: sent } })
  equal([stranger.items, nobody.items, both.items, standing.items], [[], [], [], []])
}))

await check('asks for transfers page by page', async () => {
  for (let count = 0; count < 3; count += 1) await send('0x6f05b59d3b20000')
  const question = {
    category: [AssetTransfersCategory.EXTERNAL], fromAddress: from, toAddress: to,
    withMetadata: true, maxCount: 3,
  }
  const page = await reads.getAssetTransfers(question)
  equal(page.transfers.length, 3)
  equal(page.transfers[0].value, 1)
  equal(page.transfers[1].value, 0.5)
  equal(page.transfers[1].asset, 'ETH')
  ok(!Number.isNaN(Date.parse(page.transfers[0].metadata.blockTimestamp)), 'a time')
  const rest = await reads.getAssetTransfers({ ...question, pageKey: page.pageKey })
  equal(rest.transfers.length, 1)
  equal(rest.pageKey, undefined)
})

await check('asks for receipts, balances and transfers of a token', async () => {
  const created = await reads.send('eth_sendTransaction', [{ from, data: contract.token }])
  const { contractAddress: token } = await reads.getTransactionReceipt(created)
  const tokens = new Utils.Interface(['function transfer(address to, uint256 value)'])
  const data = tokens.encodeFunctionData('transfer', [to, 2_500_000])
  const hash = await reads.send('eth_sendTransaction', [{ from, to: token, data }])
  const { transfers: [transfer] } = await reads.getAssetTransfers({
    category: [AssetTransfersCategory.ERC20], order: 'desc', maxCount: 1,
  })
  equal([transfer.hash, transfer.value, transfer.asset], [hash, 2.5, 'TOK'])

  const { receipts } = await reads.getTransactionReceipts({ blockNumber: transfer.blockNum })
  equal(receipts.map((receipt) => receipt.transactionHash), [hash])
  const named = await reads.getTokenBalances(to, [token, SINK])
  // Everybody has of this token what the last byte of the address says.
  equal(named.tokenBalances.map(({ tokenBalance }) => Number(tokenBalance)), [Number(`0x${to.slice(-2)}`), 0])
  equal(named.tokenBalances.map(({ error }) => Boolean(error)), [false, true])
  const found = await reads.getTokenBalances(to)
  equal(found.tokenBalances.map((held) => held.contractAddress), [token.toLowerCase()])
  equal((await reads.getTokenBalances(SINK)).tokenBalances, [])
})

await check('asks many things at once', async () => {
  const { core } = new Alchemy({ ...settings, url: web, batchRequests: true })
  const balances = await Promise.all(Array.from({ length: 40 }, () => core.getBalance(SINK)))
  equal(new Set(balances.map(String)).size, 1)
  const error = await failure(core.send('eth_noSuchThing', []))
  equal(error.code, -32601)
})

await check('sees a reorganisation undo a log and repeat a height', connected(async (live) => {
  const blocks = await live.listen('block')
  const logs = await live.listen({ address })
  const hash = await set(42)
  const old = await logs.next()
  equal([old.transactionHash, old.removed], [hash, false])
  equal(await blocks.next(), old.blockNumber)
  await reads.send('anvil_reorg', [1, []])
  const gone = await logs.next()
  equal([gone.blockHash, gone.logIndex, gone.removed], [old.blockHash, old.logIndex, true])
  equal(await blocks.next(), old.blockNumber)
  ok((await reads.getBlock(old.blockNumber)).hash !== old.blockHash, 'the block changed')
}))

await check('ends subscriptions when their listeners leave', connected(async (live) => {
  const mined = { method: MINED_TRANSACTIONS, hashesOnly: true }
  const inboxes = [await live.listen('block'), await live.listen(mined)]
  const logs = await live.listen({ address })
  await set(43)
  for (const inbox of [...inboxes, logs]) await inbox.next()
  equal([await live.forget('block'), await live.forget(mined)], [true, true])
  inboxes.forEach((inbox) => { inbox.items.length = 0 })
  await set(44)
  // Of one block, logs are told after heads; a request that is answered later shuts the door.
  await logs.until((log) => value(log) === 44)
  await live.socket.send('net_version', [])
  equal(inboxes.map(({ items }) => items), [[], []])
  equal(await live.forget({ address }), true)
}))

await check('keeps the connection alive with its heartbeat', async () => {
  const intervals = hold('setInterval', HEARTBEAT_MS)
  const live = await Live.open()
  const beat = await intervals.next()
  intervals.release()
  for (let count = 0; count < 3; count += 1) {
    await beat()
    equal(await live.reply('net_version'), '1')
  }
  await live.socket.destroy()
})

await check('leaves a connection that has fallen silent', async () => {
  const intervals = hold('setInterval', HEARTBEAT_MS)
  const timers = hold('setTimeout', ANSWER_MS)
  const live = await Live.open()
  const beat = await intervals.next()
  const blocks = await live.listen('block')
  const before = await height()
  await ask('freeze')
  const beating = beat()
  const late = await timers.next()
  const down = new Promise((resolve) => live.socket.websocket.addEventListener('down', resolve))
  late()
  await Promise.all([within(down, 5000, 'down'), beating])
  live.replies.items.length = 0
  await ask('thaw')
  intervals.release()
  timers.release()
  await live.reply('eth_subscribe')
  await set(45)
  await blocks.until((number) => number === before + 1)
  await live.socket.destroy()
})

// Nobody listens to 'pending' here: the SDK does not know such a subscription anew and throws.
await check('reconnects and fills the gap after the server was restarted', connected(async (live) => {
  const blocks = await live.listen('block')
  const logs = await live.listen({ address })
  const pending = await live.listen({ method: PENDING_TRANSACTIONS, fromAddress: from })
  const chain = new Map()
  const follow = async (condition) => {
    const found = []
    await logs.until((log) => {
      const key = `${log.blockHash}/${log.logIndex}`
      ok(chain.has(key) === log.removed, `removed ${log.removed}, but known ${chain.has(key)}`)
      if (log.removed) chain.delete(key)
      else chain.set(key, value(log))
      found.push([value(log), log.removed])
      return condition(log)
    })
    return found
  }
  const first = await height() + 1
  for (const count of [46, 47]) {
    const hash = await set(count)
    equal((await pending.next()).hash, hash)
    equal(await follow((log) => value(log) === count), [[count, false]])
  }
  equal([await blocks.next(), await blocks.next()], [first, first + 1])

  // While nobody listens, the block of 47 is undone, and 48 comes with what the pool had of it.
  const meanwhile = await ask('away')
  await post(meanwhile, 'anvil_reorg', 1, [])
  await post(meanwhile, 'eth_sendTransaction', setting(48))
  await post(meanwhile, 'evm_mine')
  live.replies.items.length = 0
  await ask('back')

  const missed = await follow((log) => value(log) === 48)
  equal(missed.filter(([, removed]) => removed), [[47, true]])
  for (const number of [first + 1, first + 2, first + 3]) equal(await blocks.next(), number)
  equal(pending.items, [])
  const hash = await set(49)
  equal((await pending.next()).hash, hash)
  await follow((log) => value(log) === 49)
  equal(await blocks.next(), first + 4)
  const canonical = await reads.getLogs({ address, fromBlock: first, toBlock: 'latest' })
  equal([...chain.values()], canonical.map(value))
  equal([blocks.items, logs.items, pending.items], [[], [], []])
}), 90_000)

process.exit(0)
