// @zilliqa-js/subscriptions, unmodified, against two listeners of one server:
// node client_zilliqa.mjs ZILLIQA_WEBSOCKET_URL ETHEREUM_HTTP_URL

import {
  ADDRESSES, check, contract, equal, Inbox, load, ok, post, versionOf,
} from './checks.mjs'

const PACKAGE = '@zilliqa-js/subscriptions'
const { SubscriptionBuilder, WebSocketProvider } = load(PACKAGE)
const [url, http] = process.argv.slice(2)
const builder = new SubscriptionBuilder()
const [from, to] = ADDRESSES
const NAMES = ['NewBlock', 'EventLog', 'TxnLog', 'Unsubscribe', 'close', 'reconnect']

/** What a subscription hears from now on, by the library's names of events. */
function listen(subscription) {
  const heard = Object.fromEntries(NAMES.map((name) => [name, new Inbox()]))
  for (const name of NAMES) subscription.emitter.on(name, (item) => heard[name].push(item ?? {}))
  return heard
}

/** Sends an Ethereum transaction, mined at once, and returns its receipt. */
async function send(fields) {
  const hash = await post(http, 'eth_sendTransaction', { from, gas: '0x100000', ...fields })
  return post(http, 'eth_getTransactionReceipt', hash)
}

/** Waits until the confirmation of an end comes, which is not the echo. */
function ended(heard) {
  return heard.Unsubscribe.until((item) => Array.isArray(item.value))
}

await check('follows blocks and stops', async () => {
  const subscription = builder.buildNewBlockSubscriptions(url)
  const heard = listen(subscription)
  equal(await subscription.start(), true)
  const { transactionHash } = await send({ to, value: '0x1' })
  const first = await heard.NewBlock.next()
  equal(first.value.TxHashes, [[transactionHash.slice(2)]])
  equal(first.TxHashes, first.value.TxHashes)
  await post(http, 'evm_mine')
  const second = await heard.NewBlock.next()
  equal(second.value.TxBlock.header.PrevBlockHash, first.value.TxBlock.body.BlockHash)
  await subscription.stop()
  await post(http, 'evm_mine')
  const last = await heard.NewBlock.next()
  equal((await ended(heard)).value, ['NewBlock'])
  const before = Number(second.value.TxBlock.header.BlockNum)
  equal(Number(last.value.TxBlock.header.BlockNum), before + 1)
  await post(http, 'evm_mine')
  subscription.websocket.close()
  equal(heard.NewBlock.items.length, 0)
})

await check('follows the events of a contract', async () => {
  const { contractAddress } = await send({ data: contract.bytecode })
  const subscription = builder.buildEventLogSubscriptions(url, { addresses: [contractAddress] })
  const heard = listen(subscription)
  equal(await subscription.start(), true)
  await post(http, 'evm_mine')
  ok(!Object.hasOwn(await heard.EventLog.next(), 'value'))
  const word = '7'.padStart(64, '0')
  await send({ to: contractAddress, data: `0x60fe47b1${word}` })
  const [entry] = (await heard.EventLog.next()).value
  equal(entry.address, contractAddress.slice(2).toLowerCase())
  equal(entry.event_logs[0].params.at(-1).value, `0x${word}`)
  await subscription.stop()
  await post(http, 'evm_mine')
  equal((await ended(heard)).value, ['EventLog'])
  subscription.websocket.close()
})

/** The library knows no TxnLog; this much teaches it. */
class Payments extends WebSocketProvider {
  onMessage(message) {
    const said = JSON.parse(message.data)
    const items = said.type === 'Notification' ? said.values : [said]
    for (const item of items) this.emitter.emit(said.query ? 'echo' : item.query, item)
  }
}

await check('follows payments with a small subclass', async () => {
  const payments = new Payments(url)
  const heard = listen(payments)
  const echo = new Inbox()
  payments.emitter.on('echo', echo.push)
  const query = { query: 'TxnLog', addresses: [to] }
  payments.websocket.onopen = () => payments.websocket.send(JSON.stringify(query))
  equal(await echo.next(), query)
  const { transactionHash } = await send({ to, value: '0xf4240' })
  const [entry] = (await heard.TxnLog.next()).value
  equal(entry.log[0].ID, transactionHash.slice(2))
  equal(entry.log[0].amount, '1')
  payments.websocket.close()
})

console.log(JSON.stringify({ name: 'version', ok: true, detail: versionOf(PACKAGE) }))

process.exit(0)
