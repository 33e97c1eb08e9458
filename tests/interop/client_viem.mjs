// viem, unmodified, against the server whose URL is the first argument.

import {
  ADDRESSES, ask, check, contract, equal, failure, hold, Inbox, KEYS, load, ok, post, until,
} from './checks.mjs'

const viem = load('viem')
const { privateKeyToAccount } = load('viem/accounts')
const { foundry } = load('viem/chains')

const RECONNECT_DELAY_MS = 2000 // the library's own
const url = process.argv[2]
const live = url.startsWith('ws')
const transport = live
  ? viem.webSocket(url, { reconnect: false, keepAlive: { interval: 200 } })
  : viem.http(url)
const batched = live ? transport : viem.http(url, { batch: true })
const common = { chain: foundry, transport, pollingInterval: 50, cacheTime: 0 }
const reader = viem.createPublicClient(common)
const batcher = viem.createPublicClient({
  ...common,
  transport: batched,
  batch: { multicall: false },
})
const node = viem.createTestClient({ ...common, mode: 'anvil' })
const [alice, bob] = KEYS.map((key) => privateKeyToAccount(key))
const wallet = viem.createWalletClient({ ...common, account: alice })
const unlocked = viem.createWalletClient({ ...common, account: ADDRESSES[1] })
const { abi, bytecode } = contract
let address

/** Waits until the server has confirmed so many subscriptions of a client. */
async function subscribed(client, count) {
  const { subscriptions } = await client.transport.getRpcClient()
  await until(() => subscriptions.size === count, `${count} subscriptions`)
}

const mined = (hash) => reader.waitForTransactionReceipt({ hash, pollingInterval: 50 })
const set = (value) => wallet.writeContract({ address, abi, functionName: 'set', args: [value] })
const short = (error) => error.details ?? error.shortMessage ?? error.message

await check('reads the chain', async () => {
  equal(await reader.getChainId(), 31337, 'chain id')
  ok((await reader.getBlockNumber()) >= 0n, 'block number')
  const block = await reader.getBlock({ includeTransactions: true })
  equal(block.hash.length, 66, 'hash')
  equal((await reader.getBlock({ blockHash: block.hash })).number, block.number)
  ok((await reader.getGasPrice()) > 0n, 'gas price')
  ok((await reader.getBalance({ address: bob.address })) > 10n ** 20n, 'balance')
  equal(await reader.getCode({ address: bob.address }), undefined, 'code')
  for (const blockTag of ['earliest', 'safe', 'finalized', 'pending']) {
    await reader.getBlock({ blockTag })
  }
})

await check('lists the accounts', async () => {
  equal((await wallet.getAddresses())[0], ADDRESSES[0])
})

await check('estimates fees', async () => {
  const fees = await reader.estimateFeesPerGas()
  ok(fees.maxFeePerGas > fees.maxPriorityFeePerGas, 'fees')
  const history = await reader.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] })
  ok(history.baseFeePerGas.length >= 2, 'fee history')
})

await check('deploys a contract', async () => {
  const receipt = await mined(await wallet.deployContract({ abi, bytecode }))
  equal(receipt.status, 'success')
  address = receipt.contractAddress
  ok((await reader.getCode({ address })).length > 100, 'code')
})

await check('sends signed transactions of each type', async () => {
  for (const type of ['legacy', 'eip2930', 'eip1559']) {
    const before = await reader.getBalance({ address: bob.address })
    const hash = await wallet.sendTransaction({
      to: bob.address,
      value: 7n,
      type,
      ...(type === 'eip2930' ? { accessList: [{ address, storageKeys: [] }] } : {}),
    })
    const receipt = await mined(hash)
    equal(receipt.type, type)
    const transaction = await reader.getTransaction({ hash })
    equal(transaction.type, type)
    equal(transaction.blockHash, receipt.blockHash)
    equal((await reader.getBalance({ address: bob.address })) - before, 7n, 'received')
  }
})

await check('delegates an account with a set-code transaction', async () => {
  const authorization = await wallet.signAuthorization({ account: bob, contractAddress: address })
  const receipt = await mined(
    await wallet.sendTransaction({
      to: bob.address,
      data: viem.encodeFunctionData({ abi, functionName: 'get' }),
      authorizationList: [authorization],
    }),
  )
  equal(receipt.type, 'eip7702')
  equal(
    await reader.getCode({ address: bob.address }),
    `0xef0100${address.slice(2).toLowerCase()}`,
    'code',
  )
  await node.setCode({ address: bob.address, bytecode: '0x' })
})

await check('sends from an unlocked account', async () => {
  const receipt = await mined(await unlocked.sendTransaction({ to: alice.address, value: 1n }))
  equal(receipt.from, bob.address.toLowerCase())
})

await check('writes and reads storage', async () => {
  const receipt = await mined(await set(41n))
  equal(receipt.logs.length, 1, 'logs')
  equal(await reader.readContract({ address, abi, functionName: 'get' }), 41n)
  equal(BigInt(await reader.getStorageAt({ address, slot: '0x0' })), 41n, 'slot 0')
  const logs = await reader.getContractEvents({ address, abi, eventName: 'Set', fromBlock: 0n })
  equal(logs.at(-1).args, { who: alice.address, value: 41n })
})

await check('reads the past and overridden state', async () => {
  const before = await reader.getBlockNumber()
  await mined(await set(42n))
  const past = await reader.readContract({
    address,
    abi,
    functionName: 'get',
    blockNumber: before,
  })
  equal(past, 41n)
  const slot = `0x${'0'.repeat(64)}`
  const value = `0x${'0'.repeat(62)}63`
  const overridden = await reader.readContract({
    address,
    abi,
    functionName: 'get',
    stateOverride: [{ address, stateDiff: [{ slot, value }] }],
  })
  equal(overridden, 99n)
})

await check('proves an account', async () => {
  const proof = await reader.getProof({ address, storageKeys: [`0x${'0'.repeat(64)}`] })
  equal(proof.storageProof[0].value, 42n)
  ok(proof.accountProof.length > 0, 'account proof')
})

await check('makes an access list', async () => {
  const { accessList } = await reader.createAccessList({
    account: alice.address,
    to: address,
    data: viem.encodeFunctionData({ abi, functionName: 'get' }),
  })
  equal(accessList[0].address, address.toLowerCase())
})

await check('explains a revert reason', async () => {
  const error = await failure(reader.simulateContract({ address, abi, functionName: 'fail' }))
  const reverted = error.walk((cause) => cause instanceof viem.ContractFunctionRevertedError)
  equal(reverted.reason, 'boom')
})

await check('explains a panic and a custom error', async () => {
  const panic = await failure(reader.simulateContract({ address, abi, functionName: 'panic' }))
  const cause = panic.walk((item) => item instanceof viem.ContractFunctionRevertedError)
  ok(cause.reason.includes('Arithmetic'), cause.reason)
  const denied = await failure(
    reader.simulateContract({ address, abi, functionName: 'deny', args: [5n] }),
  )
  const why = denied.walk((item) => item instanceof viem.ContractFunctionRevertedError)
  equal([why.data.errorName, why.data.args[0]], ['Denied', 5n])
})

await check('mines a reverting transaction', async () => {
  const hash = await wallet.writeContract({ address, abi, functionName: 'fail', gas: 100_000n })
  equal((await mined(hash)).status, 'reverted')
})

await check('recognises a nonce too low', async () => {
  const error = await failure(
    wallet.sendTransaction({ to: bob.address, value: 1n, nonce: 0, gas: 21_000n }),
  )
  ok(error.walk((item) => item instanceof viem.NonceTooLowError), short(error))
})

await check('recognises insufficient funds', async () => {
  const poor = privateKeyToAccount(`0x${'11'.repeat(32)}`)
  const error = await failure(
    wallet.sendTransaction({ account: poor, to: bob.address, value: 1n, gas: 21_000n }),
  )
  ok(error.walk((item) => item instanceof viem.InsufficientFundsError), short(error))
})

await check('recognises an unknown method', async () => {
  const error = await failure(reader.request({ method: 'eth_noSuchThing' }))
  ok(error instanceof viem.MethodNotFoundRpcError, `${error.name}: ${short(error)}`)
})

await check('asks many things at once', async () => {
  const numbers = await Promise.all(
    Array.from({ length: 40 }, () => batcher.getBalance({ address: alice.address })),
  )
  equal(new Set(numbers).size, 1)
})

await check('watches blocks, pending transactions and events', async () => {
  const [heads, pending, events] = [new Inbox(), new Inbox(), new Inbox()]
  const onError = (error) => heads.push({ error: String(error) })
  const poll = { poll: !live, onError }
  const stop = [
    reader.watchBlocks({ ...poll, onBlock: heads.push, emitMissed: true }),
    reader.watchPendingTransactions({ ...poll, batch: false, onTransactions: pending.push }),
    reader.watchContractEvent({ ...poll, address, abi, onLogs: events.push }),
  ]
  // Polling tells nothing of its first turn.
  await (live ? subscribed(reader, 3) : new Promise((resolve) => setTimeout(resolve, 400)))
  const hash = await set(43n)
  const receipt = await mined(hash)
  await pending.until((hashes) => hashes.includes(hash))
  const [log] = await events.next()
  equal([log.args.value, log.transactionHash], [43n, hash])
  await heads.until((head) => {
    ok(!head.error, head.error)
    return head.number === receipt.blockNumber
  })
  stop.forEach((unwatch) => unwatch())
})

await check('uses filters', async () => {
  const filter = await reader.createContractEventFilter({ address, abi, eventName: 'Set' })
  const blocks = await reader.createBlockFilter()
  const receipt = await mined(await set(44n))
  const logs = await reader.getFilterChanges({ filter })
  equal(logs.map((log) => log.args.value), [44n])
  ok((await reader.getFilterChanges({ filter: blocks })).includes(receipt.blockHash), 'block hash')
  equal(await reader.uninstallFilter({ filter }), true)
})

await check('traces what ran', async () => {
  const receipt = await mined(await set(47n))
  const ask = (method, ...params) => reader.request({ method, params })
  const steps = await ask('debug_traceTransaction', receipt.transactionHash)
  equal([BigInt(steps.gas), steps.failed], [receipt.gasUsed, false])
  ok(steps.structLogs.some((step) => step.op === 'SSTORE'), 'it wrote')
  const tree = await ask('debug_traceTransaction', receipt.transactionHash, {
    tracer: 'callTracer',
    tracerConfig: { withLog: true },
    timeout: '10s',
  })
  equal([tree.type, BigInt(tree.gasUsed), tree.logs.length], ['CALL', receipt.gasUsed, 1])
  for (const [method, block] of [
    ['debug_traceBlockByNumber', viem.numberToHex(receipt.blockNumber)],
    ['debug_traceBlockByHash', receipt.blockHash],
  ]) {
    const [traced] = await ask(method, block, { tracer: 'callTracer' })
    equal(traced.txHash, receipt.transactionHash)
  }
  const call = { to: address, data: viem.encodeFunctionData({ abi, functionName: 'get' }) }
  const seen = await ask('debug_traceCall', call, 'latest', { tracer: 'callTracer' })
  equal(BigInt(seen.output), 47n)
  const error = await failure(ask('debug_traceCall', call, 'latest', { tracer: 'opcountTracer' }))
  ok(short(error).includes('tracer not found'), short(error))
})

await check('controls the node', async () => {
  const id = await node.snapshot()
  await node.setBalance({ address: bob.address, value: 5n })
  equal(await reader.getBalance({ address: bob.address }), 5n)
  await node.impersonateAccount({ address })
  await node.setBalance({ address, value: 10n ** 18n })
  await mined(await wallet.sendTransaction({ account: address, to: bob.address, value: 3n }))
  equal(await reader.getBalance({ address: bob.address }), 8n)
  // Blocks made in quick succession run ahead of the clock, a second each.
  await node.increaseTime({ seconds: 1000 })
  const before = await reader.getBlock()
  await node.mine({ blocks: 3 })
  const after = await reader.getBlock()
  equal(after.number - before.number, 3n)
  ok(after.timestamp - before.timestamp >= 900n, 'time passed')
  await node.revert({ id })
  ok((await reader.getBalance({ address: bob.address })) > 10n ** 20n, 'reverted')
})

await check('holds transactions back without automine', async () => {
  await node.setAutomine(false)
  const hash = await set(45n)
  const waiting = await reader.getTransaction({ hash })
  equal(waiting.blockNumber, null)
  await node.mine({ blocks: 1 })
  equal((await mined(hash)).status, 'success')
  await node.setAutomine(true)
})

if (live) {
  await check('sees a reorganisation undo a log', async () => {
    const events = new Inbox()
    const heads = new Inbox()
    const unwatch = reader.watchEvent({ address, onLogs: (logs) => logs.forEach(events.push) })
    const subscription = await transport({ chain: foundry }).value.subscribe({
      params: ['newHeads'],
      onData: ({ result }) => heads.push(result),
      onError: (error) => heads.push({ error }),
    })
    await subscribed(reader, 2)
    const receipt = await mined(await set(46n))
    equal((await events.next()).removed, false)
    const old = await heads.until((head) => BigInt(head.number) === receipt.blockNumber)
    await node.request({ method: 'anvil_reorg', params: [1, []] })
    const gone = await events.next()
    equal([gone.removed, gone.blockHash], [true, receipt.blockHash])
    const fresh = await heads.until((head) => BigInt(head.number) === receipt.blockNumber)
    ok(fresh.hash !== old.hash, 'the head changed')
    equal(fresh.parentHash, old.parentHash)
    await subscription.unsubscribe()
    unwatch()
  })

  await check('keeps the connection alive with id null', async () => {
    const { socket } = await reader.transport.getRpcClient()
    const heard = new Inbox()
    socket.addEventListener('message', ({ data }) => heard.push(JSON.parse(data)))
    for (let count = 0; count < 2; count += 1) {
      const answer = await heard.until(({ id }) => id === null)
      equal([answer.result, answer.error], ['31337', undefined])
    }
    ok((await reader.getBlockNumber()) > 0n, 'still answered')
  })

  await check('subscribes again by itself after the server was restarted', async () => {
    const timers = hold('setTimeout', RECONNECT_DELAY_MS)
    const lasting = viem.webSocket(url)
    const client = viem.createPublicClient({ ...common, transport: lasting })
    const [heads, logs, losses] = [new Inbox(), new Inbox(), new Inbox()]
    const stop = [
      client.watchBlockNumber({ onBlockNumber: heads.push, onError: losses.push }),
      client.watchContractEvent({
        address, abi, onLogs: (found) => found.forEach(logs.push), onError: losses.push,
      }),
    ]
    await subscribed(client, 2)
    const before = await mined(await set(47n))
    equal(await heads.next(), before.blockNumber)
    await logs.until((log) => log.transactionHash === before.transactionHash)

    const meanwhile = await ask('away')
    await losses.until((error) => error.name === 'SocketClosedError')
    const data = viem.encodeFunctionData({ abi, functionName: 'set', args: [48n] })
    await post(meanwhile, 'eth_sendTransaction', { from: alice.address, to: address, data })
    await ask('back')
    const reconnect = await timers.next()
    await reconnect()
    timers.release()
    await subscribed(client, 2)
    losses.items.length = 0

    const missed = await client.getContractEvents({
      address, abi, fromBlock: before.blockNumber + 1n,
    })
    equal(missed.map((log) => log.args.value), [48n])
    const again = viem.createWalletClient({ ...common, transport: lasting, account: alice })
    const hash = await again.writeContract({ address, abi, functionName: 'set', args: [49n] })
    equal(await heads.next(), before.blockNumber + 2n)
    const log = await logs.next()
    equal([log.args.value, log.transactionHash], [49n, hash])
    stop.forEach((unwatch) => unwatch())
    equal([heads.items, logs.items, losses.items], [[], [], []])
  }, 60_000)
}

process.exit(0)
