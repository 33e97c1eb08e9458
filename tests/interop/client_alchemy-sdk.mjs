// alchemy-sdk, unmodified, against the server whose WebSocket URL is the first argument.

import { ADDRESSES, check, equal, Inbox, load, ok } from './checks.mjs'

const { Alchemy, AlchemySubscription, AssetTransfersCategory, Network } = load('alchemy-sdk')

const url = process.argv[2]
const web = url.replace(/^ws/, 'http')
const settings = { apiKey: 'any-key', network: Network.ETH_MAINNET }
const reads = new Alchemy({ ...settings, url: web }).core
const [from, to] = ADDRESSES
const { MINED_TRANSACTIONS, PENDING_TRANSACTIONS } = AlchemySubscription

// The SDK knows networks by their chain ids and no development chain among them.
await reads.send('anvil_setChainId', [1])
const live = new Alchemy({ ...settings, url })

/** Collects what a subscription says. */
function listen(filter) {
  const inbox = new Inbox()
  live.ws.on(filter, inbox.push)
  return inbox
}

const send = (value) => reads.send('eth_sendTransaction', [{ from, to, value }])

await check('subscribes by party and follows a reorganisation', async () => {
  const pending = listen({ method: PENDING_TRANSACTIONS, fromAddress: [from], toAddress: to })
  const hashes = listen({ method: PENDING_TRANSACTIONS, hashesOnly: true })
  const strangers = listen({ method: PENDING_TRANSACTIONS, fromAddress: to })
  const addresses = [{ from, to }]
  const mined = listen({ method: MINED_TRANSACTIONS, addresses, includeRemoved: true })
  const short = listen({ method: MINED_TRANSACTIONS, hashesOnly: true })
  // The SDK does not say when a subscription is there; requests on its socket go out in order.
  const socket = await live.config.getWebSocketProvider()
  for (let turn = 0; turn < 3; turn += 1) await socket.send('net_version', [])

  const sent = await send('0xde0b6b3a7640000')
  const seen = await pending.next()
  equal([seen.hash, seen.blockHash], [sent, null])
  const first = await mined.next()
  equal([first.removed, first.transaction.hash], [false, sent])
  equal(await short.next(), { removed: false, transaction: { hash: sent } })

  await reads.send('anvil_reorg', [1, []])
  const removed = await mined.next()
  equal(removed, { removed: true, transaction: first.transaction })
  equal([await hashes.next(), await hashes.next()], [sent, sent])
  equal(strangers.items, [])
})

await check('asks for transfers page by page', async () => {
  await reads.send('evm_mine', [])
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

await check('asks for receipts and balances', async () => {
  const [transfer] = (await reads.getAssetTransfers({
    category: [AssetTransfersCategory.EXTERNAL], order: 'desc', maxCount: 1,
  })).transfers
  const { receipts } = await reads.getTransactionReceipts({ blockNumber: transfer.blockNum })
  equal(receipts[0].transactionHash, transfer.hash)
  const named = await reads.getTokenBalances(from, [to])
  equal(named.tokenBalances[0].tokenBalance, null)
  ok(named.tokenBalances[0].error, 'an error')
  equal((await reads.getTokenBalances(from)).tokenBalances.length, 0)
})

process.exit(0)
