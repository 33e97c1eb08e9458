// ethers v6, unmodified, against the server whose URL is the first argument.

import {
  ADDRESSES, ask, check, contract, equal, failure, Inbox, KEYS, load, ok, post, within,
} from './checks.mjs'

const { ethers } = load('ethers')

const url = process.argv[2]
const live = url.startsWith('ws')
const options = { cacheTimeout: -1, polling: false, staticNetwork: true, pollingInterval: 50 }
const provider = live
  ? new ethers.WebSocketProvider(url, 31337, options)
  : new ethers.JsonRpcProvider(url, 31337, { ...options, batchMaxCount: 20 })
const alice = new ethers.Wallet(KEYS[0], provider)
const { abi, bytecode } = contract
let deployed

const mined = async (sent) => (await sent).wait(1, 10_000)
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

await check('reads the chain', async () => {
  equal((await provider.getNetwork()).chainId, 31337n)
  ok((await provider.getBlockNumber()) >= 0, 'block number')
  const block = await provider.getBlock('latest', true)
  equal((await provider.getBlock(block.hash)).number, block.number)
  ok((await provider.getBalance(ADDRESSES[1])) > 10n ** 20n, 'balance')
  equal(await provider.getCode(ADDRESSES[1]), '0x')
  equal((await provider.listAccounts())[0].address, ADDRESSES[0])
})

await check('estimates fees', async () => {
  const fees = await provider.getFeeData()
  ok(fees.maxFeePerGas > fees.maxPriorityFeePerGas && fees.gasPrice > 0n, 'fees')
})

await check('deploys a contract', async () => {
  deployed = await new ethers.ContractFactory(abi, bytecode, alice).deploy()
  await deployed.waitForDeployment()
  ok((await deployed.getDeployedCode()).length > 100, 'code')
})

await check('sends signed transactions of each type', async () => {
  for (const type of [0, 1, 2]) {
    const before = await provider.getBalance(ADDRESSES[1])
    const receipt = await mined(alice.sendTransaction({ to: ADDRESSES[1], value: 7n, type }))
    equal([receipt.status, receipt.type], [1, type])
    equal((await provider.getTransaction(receipt.hash)).blockHash, receipt.blockHash)
    equal((await provider.getBalance(ADDRESSES[1])) - before, 7n)
  }
})

await check('sends from an unlocked account', async () => {
  const signer = await provider.getSigner(1)
  const receipt = await mined(signer.sendTransaction({ to: ADDRESSES[0], value: 1n }))
  equal(receipt.from, ADDRESSES[1])
  const signature = await signer.signMessage('hello')
  equal(ethers.verifyMessage('hello', signature), ADDRESSES[1])
  const types = { Note: [{ name: 'text', type: 'string' }] }
  const domain = { name: 'test', chainId: 31337 }
  const typed = await signer.signTypedData(domain, types, { text: 'hi' })
  equal(ethers.verifyTypedData(domain, types, { text: 'hi' }, typed), ADDRESSES[1])
})

await check('writes and reads storage', async () => {
  const receipt = await mined(deployed.set(41n))
  equal(receipt.logs.length, 1)
  equal(await deployed.get(), 41n)
  equal(BigInt(await provider.getStorage(deployed.target, 0)), 41n)
  const [event] = await deployed.queryFilter('Set', receipt.blockNumber)
  equal([event.args.who, event.args.value], [alice.address, 41n])
  equal(await deployed.get({ blockTag: receipt.blockNumber - 1 }), 0n)
})

await check('explains reverts', async () => {
  const failed = await failure(deployed.fail.staticCall())
  equal([failed.code, failed.reason], ['CALL_EXCEPTION', 'boom'])
  const denied = await failure(deployed.deny.staticCall(5n))
  equal([denied.revert.name, denied.revert.args[0]], ['Denied', 5n])
  const estimated = await failure(deployed.fail())
  equal([estimated.code, estimated.reason], ['CALL_EXCEPTION', 'boom'])
  const panic = await failure(deployed.panic.staticCall())
  equal(panic.revert.name, 'Panic')
})

await check('mines a reverting transaction', async () => {
  const sent = await deployed.fail({ gasLimit: 100_000 })
  const error = await failure(sent.wait(1, 10_000))
  equal([error.code, error.receipt.status], ['CALL_EXCEPTION', 0])
})

await check('recognises a nonce too low', async () => {
  const error = await failure(alice.sendTransaction({ to: ADDRESSES[1], nonce: 0, gasLimit: 21000 }))
  equal(error.code, 'NONCE_EXPIRED')
})

await check('recognises insufficient funds', async () => {
  const poor = new ethers.Wallet(`0x${'11'.repeat(32)}`, provider)
  const request = { to: ADDRESSES[1], value: 1n, gasLimit: 21000 }
  equal((await failure(poor.sendTransaction(request))).code, 'INSUFFICIENT_FUNDS')
})

await check('recognises an underpriced replacement', async () => {
  await provider.send('evm_setAutomine', [false])
  const nonce = await alice.getNonce()
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n }
  const first = await alice.sendTransaction({ to: ADDRESSES[1], nonce, ...fees })
  const second = alice.sendTransaction({ to: ADDRESSES[1], value: 1n, nonce, ...fees })
  equal((await failure(second)).code, 'REPLACEMENT_UNDERPRICED')
  equal((await provider.getTransaction(first.hash)).blockNumber, null)
  equal(await alice.getNonce('pending'), nonce + 1)
  await provider.send('evm_mine', [])
  equal((await first.wait(1, 10_000)).status, 1)
  await provider.send('evm_setAutomine', [true])
})

await check('recognises an unknown method', async () => {
  const error = await failure(provider.send('eth_noSuchThing', []))
  equal([error.code, error.operation], ['UNSUPPORTED_OPERATION', 'eth_noSuchThing'])
})

await check('asks many things at once', async () => {
  const all = await Promise.all(
    Array.from({ length: 40 }, () => provider.getBalance(ADDRESSES[0])),
  )
  equal(new Set(all).size, 1)
})

await check('follows blocks, pending transactions and events', async () => {
  const [blocks, pending, events] = [new Inbox(), new Inbox(), new Inbox()]
  await provider.on('block', blocks.push)
  if (live) await provider.on('pending', pending.push)
  await deployed.on('Set', (who, value, { log }) => events.push({ who, value, log }))
  // On a socket this is answered behind the subscriptions; polling tells nothing of its first turn.
  await (live ? provider.send('net_version', []) : pause(300))
  const receipt = await mined(deployed.set(43n))
  if (live) await pending.until((hash) => hash === receipt.hash)
  const { who, value, log } = await events.next()
  equal([who, value, log.transactionHash], [alice.address, 43n, receipt.hash])
  await blocks.until((number) => number === receipt.blockNumber)
  await provider.removeAllListeners()
  await deployed.removeAllListeners()
})

if (live) {
  await check('sees a reorganisation undo a log and repeat a height', async () => {
    const [blocks, logs, removed, errors] = Array.from({ length: 4 }, () => new Inbox())
    await provider.on('block', blocks.push)
    await provider.on('error', errors.push)
    await provider.on({ address: deployed.target }, logs.push)
    await provider.send('net_version', []) // answered behind the subscriptions
    const receipt = await mined(deployed.set(46n))
    await blocks.until((number) => number === receipt.blockNumber)
    const log = await logs.next()
    equal([log.removed, log.blockHash], [false, receipt.blockHash])
    // Removed logs go to those alone who listen for the orphaned one.
    await provider.on({ orphan: 'drop-log', log: { ...log.toJSON(), removed: true } }, removed.push)
    await provider.send('anvil_reorg', [1, []])
    const gone = await removed.next()
    equal([gone.removed, gone.blockHash], [true, receipt.blockHash])
    await blocks.until((number) => number === receipt.blockNumber)
    const block = await provider.getBlock(receipt.blockNumber)
    ok(block.hash !== receipt.blockHash, 'the block changed')
    equal(await provider.getTransactionReceipt(receipt.hash), null, 'receipt')
    equal([logs.items, errors.items], [[], []])
    await provider.removeAllListeners()
  })

  // The library does not reconnect; what a program can do is to begin again.
  await check('begins again with a new provider after the server was restarted', async () => {
    const closed = new Promise((resolve) => { provider.websocket.onclose = resolve })
    const before = await mined(deployed.set(47n))
    const meanwhile = await ask('away')
    equal((await closed).code, 1006)
    const { to, data } = await deployed.set.populateTransaction(48n)
    await post(meanwhile, 'eth_sendTransaction', { from: alice.address, to, data })
    await ask('back')

    const renewed = new ethers.WebSocketProvider(url, 31337, options)
    const contract = deployed.connect(alice.connect(renewed))
    const [blocks, events, errors] = [new Inbox(), new Inbox(), new Inbox()]
    await renewed.on('error', errors.push)
    await renewed.on('block', blocks.push)
    await contract.on('Set', (who, value) => events.push(value))
    const missed = await contract.queryFilter('Set', before.blockNumber + 1)
    equal(missed.map((event) => event.args.value), [48n])
    await mined(contract.set(49n))
    equal(await events.next(), 49n)
    equal(await blocks.next(), before.blockNumber + 2)
    equal([blocks.items, events.items, errors.items], [[], [], []])
    await within(Promise.resolve(renewed.destroy()), 5000, 'destroy')
  }, 60_000)
}

await within(Promise.resolve(provider.destroy()), 5000, 'destroy')
process.exit(0)
